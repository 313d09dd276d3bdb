import type { INestApplicationContext } from '@nestjs/common';
import { type Kind, KINDS, startLifecycle } from '../../fixtures/lifecycle.application.js';
import { JOBS_QUEUE, Witness } from '../../fixtures/lifecycle.module.js';
import { Journal } from '../../support/journal.js';
import { takeAll } from '../../support/messages.js';
import { NestApplications, publish } from '../../support/nest-applications.js';

const JOBS = [1, 2, 3, 4];
const PARTS = ['handler', 'pool', 'global', 'root'];

let journal: Journal;
let apps: NestApplications;

beforeEach(async () => {
  journal = new Journal();
  apps = await NestApplications.create();
  const publisher = await apps.start({ imports: [apps.workQueue({ jobs: JOBS_QUEUE })] });
  for (const job of JOBS) await publish(publisher, 'jobs', job);
});

afterEach(() => apps.close());

async function start(kind: Kind, position: 'first' | 'last'): Promise<INestApplicationContext> {
  const workQueue = apps.options({ jobs: JOBS_QUEUE });
  const witness = new Witness((entry) => journal.write(entry));
  return apps.adopt(await startLifecycle(kind, { workQueue, witness, position }));
}

const CASES = KINDS.flatMap((kind) => [[kind, 'first' as const] as const, [kind, 'last' as const] as const]);

describe.each(CASES)('%s application with WorkQueueModule imported %s', (kind, position) => {
  it('starts handlers after every onApplicationBootstrap, and stops them before any onModuleDestroy', async () => {
    const app = await start(kind, position);
    await journal.until('started 1');
    await app.close();

    const { entries } = journal;
    const started = journal.positionOf('started 1');
    const asked = journal.positionOf('asked to stop');
    const stopped = journal.positionOf('stopped consuming');
    for (const part of PARTS) {
      expect(journal.positionOf(`bootstrapped ${part}`)).toBeLessThan(started);
      expect(journal.positionOf(`destroyed ${part}`)).toBeGreaterThan(stopped);
    }
    expect(entries.slice(asked, stopped).filter((entry) => entry !== 'asked to stop')).toEqual([
      'finished 1',
      'succeeded',
    ]);
    expect(entries.filter((entry) => entry.startsWith('started'))).toEqual(['started 1']);
    const left = await takeAll(apps.vhost.url, 'jobs');
    expect(left.map(({ payload }) => payload)).toEqual([2, 3, 4]);
  });
});
