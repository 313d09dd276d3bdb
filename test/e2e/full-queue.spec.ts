import { afterEach, describe, expect, it } from '@jest/globals';
import { allWritten } from '../support/rows.js';
import { System } from '../support/system.js';
import { acceptedIds, postMany, postWebhook } from '../support/webhooks.js';
import { until } from '../support/until.js';

const LIMIT = 40;
const WINDOW = 10;
const OPTIONS = { maxLength: LIMIT, serviceTime: '5ms', window: WINDOW } as const;

describe('a gateway whose workers have stopped', () => {
  let system: System;

  afterEach(() => system.close());

  it('accepts exactly the limit on a classic queue, then answers 503 with Retry-After, and every 202 becomes a row', async () => {
    system = await System.create({ ...OPTIONS, type: 'classic' });
    const accepted = await fill(system);
    expect(accepted.ids).toHaveLength(LIMIT);
    await expectRecovery(system, accepted);
  }, 120_000);

  it('accepts at most the limit plus the confirm window on a quorum queue, and every 202 becomes a row', async () => {
    system = await System.create({ ...OPTIONS, type: 'quorum' });
    const accepted = await fill(system);
    expect(accepted.ids.length).toBeGreaterThanOrEqual(LIMIT);
    expect(accepted.ids.length).toBeLessThanOrEqual(LIMIT + WINDOW);
    await expectRecovery(system, accepted);
  }, 120_000);
});

interface Filled {
  readonly url: string;
  readonly ids: string[];
}

async function fill(system: System): Promise<Filled> {
  const { url } = await system.startGateway();
  const answers = await postMany(url, 3 * LIMIT, WINDOW);
  const refused = answers.filter((answer) => answer.status !== 202);
  expect(refused.length).toBeGreaterThan(0);
  for (const { status, headers, body } of refused) {
    expect(status).toBe(503);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(body).toMatchObject({
      status: 503,
      // What comes in the millisecond before the gateway has looked who consumes is told that it is full.
      reason: expect.stringMatching(/^(queue-full|no-workers)$/),
      code: expect.stringMatching(/^WQ_(QUEUE_FULL|NO_WORKERS)$/),
      queue: 'github-events',
    });
    expect(body.retryAfterMs).toBeGreaterThanOrEqual(1_000);
  }
  return { url, ids: acceptedIds(answers) };
}

async function expectRecovery(system: System, { url, ids }: Filled): Promise<void> {
  await system.startWorker();
  const later: string[] = [];
  await until(async () => {
    const answer = await postWebhook(url);
    if (answer.status !== 202) return `still ${answer.status}`;
    later.push(answer.id);
    return undefined;
  });
  const all = [...ids, ...later];
  const rows = await allWritten(system.dataFolder, all);
  expect(rows).toBe(all.length);
}
