import { Command } from 'commander';

/** Option values as typed, before any is parsed. Absent means not given and without a fixed default. */
export interface RawOptions {
  url?: string;
  rate: string;
  duration?: string;
  count?: string;
  arrivals: string;
  seed?: string;
  connections: string;
  timeout: string;
  retry?: boolean;
  maxRetries?: string;
  grace: string;
  secret?: string;
  rows: boolean;
  settleTimeout: string;
  json?: boolean;
  /** Words that belong to no option. */
  extra: readonly string[];
}

/** Reads the command line; throws commander's `CommanderError` on an unknown option and after `--help`. */
export function readCommandLine(argv: readonly string[]): RawOptions {
  const command = buildCommand().parse(argv, { from: 'user' });
  return { ...command.opts<Omit<RawOptions, 'extra'>>(), extra: command.args };
}

function buildCommand(): Command {
  return new Command('replay')
    .description(
      'Posts real GitHub webhooks at a chosen rate (open loop), then reconciles what was accepted with the rows.',
    )
    .option('--url <url>', 'gateway, this machine only (default: "http://127.0.0.1:${PORT:-3000}")')
    .option('--rate <n>', 'deliveries per second: 200 or 200/s', '200')
    .option('--duration <time>', 'how long to send: 500ms, 10s, 1m (default: "10s")')
    .option('--count <n>', 'send exactly n deliveries instead of sending for a duration')
    .option('--arrivals <kind>', 'spacing of the planned send times: constant or poisson', 'constant')
    .option('--seed <n>', 'seed of --arrivals poisson (default: "1")')
    .option('--connections <n>', 'connections at most; waiting for a free one counts as latency', '256')
    .option('--timeout <time>', 'per request; after it the outcome is unknown', '10s')
    .option('--retry', 'send refused and unknown deliveries again, when Retry-After says, with the same id')
    .option('--max-retries <n>', 'retries per delivery, with --retry (default: "5")')
    .option(
      '--grace <time>',
      'how long after the last planned send a retry or a waiting request may go out',
      '10s',
    )
    .option(
      '--secret <text>',
      'signs with X-Hub-Signature-256 (default: env GITHUB_WEBHOOK_SECRET, else unsigned)',
    )
    .option('--no-rows', 'do not look for the rows in the database')
    .option('--settle-timeout <time>', 'stop waiting for rows after this long without a new one', '30s')
    .option('--json', 'print one JSON object, last, on stdout; text for people goes to stderr')
    .allowExcessArguments()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'replay: ')) })
    .exitOverride();
}
