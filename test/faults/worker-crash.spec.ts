import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openPublisher } from '../support/open-publisher.js';
import { readyMessages } from '../support/queue.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { takeDeadLetters } from '../support/worker-broker.js';
import { idsIn, spawnWorker, Supervisor } from '../support/worker-process.js';

const INNOCENTS = 40;

/** Where the poison stands among the others: at the head most of them go down with it. */
describe.each([
  { type: 'classic', maxAttempts: 1, poisonAt: 10, concurrency: 8 },
  { type: 'quorum', maxAttempts: 4, poisonAt: 0, concurrency: 16 },
] as const)(
  'a message of a $type queue with $maxAttempts attempts that kills its process',
  ({ type, maxAttempts, poisonAt, concurrency }) => {
    const qos = { type, maxLength: 1_000, serviceTime: '20ms', prefetch: 16, concurrency, maxAttempts };
    let vhost: TestVhost;
    let supervisor: Supervisor;

    beforeEach(async () => {
      vhost = await createVhost();
    });

    afterEach(async () => {
      await supervisor.stop();
      await vhost.delete();
    });

    const publish = async (ids: readonly string[]): Promise<void> => {
      const publisher = await openPublisher(vhost, { orders: qos });
      for (const id of ids) {
        const job = id === 'poison' ? { kills: true } : { ms: 20 };
        await publisher.queue('orders').publish(job, { messageId: id });
      }
      await publisher.close();
    };

    /** Resolves when all of them are somewhere for good. */
    const everythingEnded = (ids: readonly string[]): Promise<void> =>
      until(async () => {
        const dead = (await readyMessages(vhost.url, 'orders.dead')) ?? 0;
        const ended = new Set(idsIn(supervisor.lines, 'end'));
        // What ended may come once more when its process was killed right after.
        const left = (await readyMessages(vhost.url, 'orders')) ?? 0;
        const isOver = ended.size + dead >= ids.length && left === 0;
        return isOver
          ? undefined
          : `${ended.size} ended, ${dead} dead, ${left} left, ${supervisor.deaths} deaths`;
      }, 80_000);

    it('does so a bounded number of times, and its neighbours are all handled and none written off', async () => {
      const innocents = Array.from({ length: INNOCENTS }, (_, index) => `innocent-${index}`);
      const ids = innocents.toSpliced(poisonAt, 0, 'poison');
      await publish(ids);
      supervisor = new Supervisor(() => spawnWorker(vhost, qos));
      await everythingEnded(ids);
      await supervisor.stop();
      const letters = await takeDeadLetters(vhost.url, 'orders');
      expect(letters.map(({ id }) => id)).toEqual(['poison']);
      expect(letters).toMatchObject([{ headers: { 'x-dead-reason': 'crashed', 'x-dead-queue': 'orders' } }]);
      const ended = new Set(idsIn(supervisor.lines, 'end'));
      expect(innocents.filter((id) => !ended.has(id))).toEqual([]);
      expect(supervisor.deaths).toBe(Math.max(3, maxAttempts));
      expect(idsIn(supervisor.lines, 'start').filter((id) => id === 'poison')).toHaveLength(
        supervisor.deaths,
      );
    }, 100_000);
  },
);
