import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readyMessages } from '../support/queue.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { type DeadLetter, takeDeadLetters } from '../support/worker-broker.js';
import { type Work, Worker } from '../support/worker.js';

const MAX_ATTEMPTS = 4;

const failing: Work = (_job, { attempt }) => Promise.reject(new TypeError(`attempt ${attempt} failed`));

describe.each(['classic', 'quorum'] as const)(
  'a message of a %s queue whose handler always throws',
  (type) => {
    const options = {
      queues: {
        orders: {
          type,
          maxLength: 100,
          serviceTime: '5ms',
          concurrency: 2,
          maxAttempts: MAX_ATTEMPTS,
          backoff: { initial: '100ms', max: '100ms' },
        },
      },
    };
    let vhost: TestVhost;
    let workers: Worker[];

    beforeEach(async () => {
      vhost = await createVhost();
      workers = [];
    });

    afterEach(async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      await vhost.delete();
    });

    const open = async (work: Work): Promise<Worker> => {
      const worker = await Worker.open(vhost, options, work);
      workers.push(worker);
      return worker;
    };

    const deadLetters = async (count: number): Promise<DeadLetter[]> => {
      await until(async () => {
        const dead = await readyMessages(vhost.url, 'orders.dead');
        return dead === count ? undefined : `${dead} dead letters`;
      });
      return takeDeadLetters(vhost.url, 'orders');
    };

    const attempts = (id: string): number[] =>
      workers
        .flatMap(({ runs }) => runs.startsOf(id).map(({ attempt }) => attempt))
        .toSorted((one, other) => one - other);

    const HEADERS = {
      'x-first-error': 'TypeError: attempt 1 failed',
      'x-last-error': `TypeError: attempt ${MAX_ATTEMPTS} failed`,
      'x-attempts': MAX_ATTEMPTS,
      'x-dead-reason': 'failed',
      'x-dead-queue': 'orders',
      'x-dead-error': `TypeError: attempt ${MAX_ATTEMPTS} failed`,
      'x-dead-attempts': MAX_ATTEMPTS,
      'x-dead-at': expect.any(Number),
      'x-sent': expect.any(Number),
    };

    it('is dead-lettered after exactly its attempts, whichever of two workers made them', async () => {
      const [worker] = await Promise.all([open(failing), open(failing)]);
      const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
      for (const id of ids) await worker.runtime.queue('orders').publish({}, { messageId: id });
      const letters = await deadLetters(ids.length);
      expect(letters.map(({ id }) => id).toSorted()).toEqual(ids);
      for (const { headers } of letters) expect(headers).toMatchObject(HEADERS);
      for (const id of ids) expect(attempts(id)).toEqual([1, 2, 3, 4]);
      expect(workers.filter(({ runs }) => runs.started.length > 0)).toHaveLength(2);
    });

    it('is dead-lettered after exactly its attempts, each made by a worker that was restarted', async () => {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const worker = await open(failing);
        if (attempt === 1) await worker.runtime.queue('orders').publish({}, { messageId: 'poison' });
        await worker.runs.untilStarted(1);
        await worker.close();
      }
      const [letter] = await deadLetters(1);
      expect(letter).toMatchObject({ id: 'poison', headers: HEADERS });
      expect(attempts('poison')).toEqual([1, 2, 3, 4]);
    });
  },
);
