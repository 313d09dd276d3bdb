import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WorkQueueRuntime } from '@spillway/work-queue';
import { Ledger, outcomesOf } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';

const LIMIT = 100;
const BLOCKED_TRIES = 25;

/** What an operator does by hand to the policy of a queue. */
const CHANGES = {
  'raised by 10 %': (policy: string) => setLimit(policy, LIMIT * 1.1),
  'raised by 100 %': (policy: string) => setLimit(policy, LIMIT * 2),
  'taken away': (policy: string) => manage('DELETE', policy),
} as const;

type Change = keyof typeof CHANGES;
const CASES = (['classic', 'quorum'] as const).flatMap((type) =>
  (Object.keys(CHANGES) as Change[]).map((change) => ({ type, change, queue: queueOf(type, change) })),
);

describe('a full queue whose limit is changed while one client keeps trying', () => {
  let vhost: TestVhost;
  let publisher: WorkQueueRuntime;

  beforeAll(async () => {
    vhost = await createVhost();
    const qos = { maxLength: LIMIT, window: 20, serviceTime: '10ms' };
    const queues = Object.fromEntries(CASES.map(({ type, queue }) => [queue, { ...qos, type }]));
    publisher = await openPublisher(vhost, queues);
  });

  afterAll(async () => {
    await publisher.close();
    await vhost.delete();
  });

  it.each(CASES)('accepts again within a second of being $change ($type)', async ({ queue, change }) => {
    const ledger = new Ledger(publisher.queue(queue));
    await ledger.publishMany(LIMIT + 1, 1);
    const blocked = await ledger.keepTrying(BLOCKED_TRIES);
    expect(outcomesOf(blocked)).not.toHaveProperty('accepted');
    await CHANGES[change](`policies/${vhost.name}/spillway.${queue}`);
    expect(await ledger.answeredAfterMs('accepted', 2_000)).toBeLessThan(1_000);
  });
});

async function setLimit(path: string, maxLength: number): Promise<void> {
  const policy = (await manage('GET', path)) as { definition: Record<string, unknown> };
  const definition = { ...policy.definition, 'max-length': Math.round(maxLength) };
  await manage('PUT', path, { ...policy, definition });
}

function queueOf(type: string, change: Change): string {
  return `${type}-${change.replaceAll(/\W+/g, '-')}`;
}
