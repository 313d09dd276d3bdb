import { writeFile } from 'node:fs/promises';
import { CommanderError } from 'commander';
import { BenchVhost, type BrokerUrls } from './broker/bench-vhost.js';
import { type BenchCommand, readCommandLine } from './command.js';
import { findConsume } from './consume/consume-findings.js';
import { findGateway } from './gateway/gateway-findings.js';
import { findPublish } from './publish/publish-findings.js';
import { type Findings, jsonReport, textReport } from './report/findings.js';
import { describeMachine } from './report/machine.js';
import type { Surroundings } from './surroundings.js';

const EXIT_CODE_WRONG_OPTIONS = 2;

process.exitCode = await main();

/** 0: measured. 1: it could not be, or a target was missed with --strict. 2: wrong options. */
async function main(): Promise<number> {
  const command = readOptions();
  if (typeof command === 'number') return command;
  const urls = brokerUrls();
  if (urls) return run(command, urls);
  process.stderr.write(
    'bench: RABBITMQ_URL and RABBITMQ_MANAGEMENT_URL are both needed; npm run bench sets them\n',
  );
  return EXIT_CODE_WRONG_OPTIONS;
}

/** Commander has already printed its help or what is wrong when it throws. */
function readOptions(): BenchCommand | number {
  try {
    return readCommandLine(process.argv.slice(2));
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODE_WRONG_OPTIONS;
    throw error;
  }
}

function brokerUrls(): BrokerUrls | undefined {
  const { RABBITMQ_URL: url, RABBITMQ_MANAGEMENT_URL: managementUrl } = process.env;
  return url && managementUrl ? { url, managementUrl } : undefined;
}

async function run(command: BenchCommand, urls: BrokerUrls): Promise<number> {
  const interrupted = new AbortController();
  // The children end; what waits for them fails, and the vhost is deleted on the way out.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  const vhost = await BenchVhost.create(urls);
  try {
    const machine = describeMachine(await vhost.brokerVersion());
    const say = (text: string) => void process.stderr.write(`${text}\n`);
    const findings = await find(command, { vhost, signal: interrupted.signal, say });
    process.stdout.write(`${textReport(findings, machine)}\n`);
    if (command.json !== undefined) await writeFile(command.json, jsonReport(findings, machine));
    return exitCodeOf(command, findings);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    process.stderr.write('bench: interrupted\n');
    return 1;
  } finally {
    await vhost.delete();
  }
}

function find(command: BenchCommand, surroundings: Surroundings): Promise<Findings> {
  switch (command.benchmark) {
    case 'publish':
      return findPublish(command.settings, surroundings);
    case 'consume':
      return findConsume(command.settings, surroundings);
    case 'gateway':
      return findGateway(command.settings, surroundings);
  }
}

function exitCodeOf({ strict }: BenchCommand, { verdicts }: Findings): 0 | 1 {
  return strict === true && verdicts.some(({ state }) => state === 'missed') ? 1 : 0;
}
