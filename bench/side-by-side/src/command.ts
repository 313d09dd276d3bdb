import { Command, InvalidArgumentError, Option } from 'commander';
import type { QueueType } from './broker/bench-vhost.js';
import { CONSUMER_NAMES, type ConsumerName } from './consume/consume-client.js';
import type { ConsumeSettings } from './consume/consume-findings.js';
import type { GatewayPlan } from './gateway/gateway-bench.js';
import { CLIENT_NAMES, type ClientName } from './publish/publish-client.js';
import type { PublishSettings } from './publish/publish-findings.js';

interface Output {
  /** Where the JSON goes. */
  readonly json?: string;
  /** A missed target makes the exit code 1. */
  readonly strict?: boolean;
}

export type BenchCommand = Output &
  (
    | { readonly benchmark: 'publish'; readonly settings: PublishSettings }
    | { readonly benchmark: 'consume'; readonly settings: ConsumeSettings }
    | { readonly benchmark: 'gateway'; readonly settings: GatewayPlan }
  );

const QUEUE_TYPES: readonly QueueType[] = ['classic', 'quorum'];

/** @throws commander's `CommanderError` on wrong options and after `--help`; it has then printed what is to be said */
export function readCommandLine(argv: readonly string[]): BenchCommand {
  const chosen: BenchCommand[] = [];
  const program = new Command('bench').description('Measures beside others, on one machine in one run.');
  // Before the subcommands, which inherit it.
  program.exitOverride();
  addPublish(program, (command) => chosen.push(command));
  addConsume(program, (command) => chosen.push(command));
  addGateway(program, (command) => chosen.push(command));
  program.parse(argv, { from: 'user' });
  const [command] = chosen;
  if (!command) throw new Error('commander called no subcommand and said nothing');
  return command;
}

function addPublish(program: Command, choose: (command: BenchCommand) => void): void {
  withCommonOptions(program.command('publish'), '1')
    .description('Publishing with confirms: ours beside other clients, each in a process of its own.')
    .addOption(listOption('--windows <list>', 'publishes unconfirmed at a time', [100, 1_000], toWindow))
    .addOption(
      listOption(
        '--queue-types <list>',
        'the first is also that of the 8 KB case',
        QUEUE_TYPES,
        oneOf(QUEUE_TYPES),
      ),
    )
    .addOption(
      listOption('--clients <list>', 'who takes part', CLIENT_NAMES, oneOf<ClientName>(CLIENT_NAMES)),
    )
    .action(({ json, strict, ...settings }: PublishSettings & Output) =>
      choose({ benchmark: 'publish', settings, json, strict }),
    );
}

function addConsume(program: Command, choose: (command: BenchCommand) => void): void {
  withCommonOptions(program.command('consume'), '1')
    .description(
      'Consuming with a handler that does nothing: ours beside others, each in a process of its own.',
    )
    .addOption(
      listOption('--prefetch <list>', 'also the concurrency', [1, 10, 100, 500], toInteger(1, 2_000)),
    )
    .addOption(
      new Option('--queue <type>', 'of the queues').choices([...QUEUE_TYPES, 'both']).default('both'),
    )
    .addOption(
      listOption('--clients <list>', 'who takes part', CONSUMER_NAMES, oneOf<ConsumerName>(CONSUMER_NAMES)),
    )
    .action(({ json, strict, ...settings }: ConsumeSettings & Output) =>
      choose({ benchmark: 'consume', settings, json, strict }),
    );
}

function addGateway(program: Command, choose: (command: BenchCommand) => void): void {
  withCommonOptions(program.command('gateway'), '4')
    .description('A POST answered by a gateway: published, refused, and what each of it costs the process.')
    .option('--connections <n>', 'that send at once', toInteger(1, 90), 50)
    .addOption(new Option('--queue-type <type>', 'of our queue').choices(QUEUE_TYPES).default('quorum'))
    .action(({ json, strict, ...settings }: GatewayPlan & Output) =>
      choose({ benchmark: 'gateway', settings, json, strict }),
    );
}

function withCommonOptions(command: Command, seconds: string): Command {
  return command
    .option('--rounds <n>', 'of everything, in rotated order', toInteger(1, 100), 5)
    .option(
      '--seconds <n>',
      'measured in each cell; about that much for consume, which counts messages',
      toSeconds,
      Number(seconds),
    )
    .option('--json <file>', 'also writes everything that was measured as JSON')
    .option('--strict', 'exits with 1 when a target was missed');
}

function listOption<T>(
  flags: string,
  description: string,
  all: readonly T[],
  parse: (text: string) => T,
): Option {
  return new Option(flags, description)
    .argParser((text) => text.split(',').map((item) => parse(item.trim())))
    .default([...all], all.join(','));
}

function oneOf<T extends string>(allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((name) => name === text);
    if (found === undefined) throw new InvalidArgumentError(`expected some of ${allowed.join(', ')}`);
    return found;
  };
}

function toInteger(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`expected an integer from ${min} to ${max}`);
  };
}

const toWindow = toInteger(1, 10_000);

function toSeconds(text: string): number {
  const value = Number(text);
  if (text !== '' && value >= 0.1 && value <= 600) return value;
  throw new InvalidArgumentError('expected seconds from 0.1 to 600');
}
