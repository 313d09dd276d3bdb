import { KINDS } from '../../fixtures/lifecycle.application.js';
import { JOBS_QUEUE } from '../../fixtures/lifecycle.module.js';
import { type AppProcess, startFixture } from '../../support/app-process.js';
import { takeAll } from '../../support/messages.js';
import { NestApplications, publish } from '../../support/nest-applications.js';

const PARTS = ['handler', 'pool', 'global', 'root'];
const START_AND_STOP_MS = 30_000;

let apps: NestApplications;
let program: AppProcess | undefined;

beforeEach(async () => {
  apps = await NestApplications.create();
  const publisher = await apps.start({ imports: [apps.workQueue({ jobs: JOBS_QUEUE })] });
  for (const job of [1, 2, 3, 4]) await publish(publisher, 'jobs', job);
});

afterEach(async () => {
  await program?.stop();
  await apps.close();
});

const CASES = KINDS.flatMap((kind) => [
  // NestJS ends with the signal itself, so there is no exit code.
  [kind, 'runApplication', 'SIGTERM', 0] as const,
  [kind, 'enableShutdownHooks', 'SIGTERM', null] as const,
]);

it.each([...CASES, ['context', 'runApplication', 'SIGINT', 0] as const])(
  '%s application under %s finishes what runs after %s, starts nothing, and only then stops anything else',
  async (kind, endedBy, signal, exitCode) => {
    const { url, managementUrl } = apps.vhost;
    program = await startFixture(
      'lifecycle.main.ts',
      { RABBITMQ_URL: url, RABBITMQ_MANAGEMENT_URL: managementUrl },
      [kind, endedBy],
    );
    await program.line(/^started 1$/);
    program.signal(signal);
    await expect(program.exited).resolves.toBe(exitCode);

    const { lines } = program;
    const asked = lines.indexOf('asked to stop');
    const stopped = lines.indexOf('stopped consuming');
    expect(lines.slice(asked + 1, stopped)).toEqual(['finished 1', 'succeeded']);
    for (const part of PARTS) expect(lines.indexOf(`destroyed ${part}`)).toBeGreaterThan(stopped);
    expect(lines.filter((line) => line.startsWith('started'))).toEqual(['started 1']);
    const left = await takeAll(url, 'jobs');
    expect(left.map(({ payload }) => payload)).toEqual([2, 3, 4]);
  },
  START_AND_STOP_MS,
);
