import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readyMessages } from '../support/queue.js';
import { allWritten } from '../support/rows.js';
import { System } from '../support/system.js';
import { until } from '../support/until.js';
import { type Answer, postWebhook } from '../support/webhooks.js';

const QUEUE = 'github-events';

describe('a client that prefers to wait', () => {
  let system: System;
  let url: string;

  beforeAll(async () => {
    system = await System.create({ maxLength: 100, serviceTime: '5ms', type: 'classic' });
    ({ url } = await system.startGateway({ MAX_WAIT_SECONDS: '5' }));
  }, 60_000);

  afterAll(() => system.close());

  const prefer = (wait: string, id?: string): Promise<Answer> =>
    postWebhook(url, { id, headers: { prefer: wait } });

  describe('while no worker runs', () => {
    const stored: string[] = [];

    it('gets 202 when its time is up, and a place to ask', async () => {
      const { id, status, headers, body } = await prefer('wait=1, respond-async');
      expect(status).toBe(202);
      expect(headers.get('preference-applied')).toBe('wait=1, respond-async');
      expect(headers.get('location')).toBe(`/webhooks/github/${id}`);
      expect(body).toEqual({ id: expect.stringMatching(/^[\w-]{22}$/), queue: QUEUE });
      stored.push(id);
    });

    it('waits no longer than the gateway allows', async () => {
      const startedAt = Date.now();
      const { id, headers } = await prefer('wait=600');
      expect(headers.get('preference-applied')).toBe('wait=5');
      expect(Date.now() - startedAt).toBeLessThan(10_000);
      stored.push(id);
    });

    it('may go: its work stays stored', async () => {
      const before = await readyMessages(system.environment.RABBITMQ_URL ?? '', QUEUE);
      const id = randomUUID();
      const going = new AbortController();
      const request = postWebhook(url, { id, headers: { prefer: 'wait=5' }, signal: going.signal });
      const end = request.catch((error: unknown) => error);
      await until(async () => {
        const ready = await readyMessages(system.environment.RABBITMQ_URL ?? '', QUEUE);
        return ready === (before ?? 0) + 1 ? undefined : `${ready} ready`;
      });
      going.abort();
      await expect(end).resolves.toMatchObject({ name: 'AbortError' });
      stored.push(id);
    });

    it('gets 202 at once when the gateway shuts down', async () => {
      const gateway = await system.startGateway();
      const waiting = postWebhook(gateway.url, { headers: { prefer: 'wait=30' } });
      await until(async () => {
        const ready = await readyMessages(system.environment.RABBITMQ_URL ?? '', QUEUE);
        return ready === stored.length + 1 ? undefined : `${ready} ready`;
      });
      const [{ status, id, headers }, code] = await Promise.all([waiting, gateway.app.stop()]);
      expect({ status, code }).toEqual({ status: 202, code: 0 });
      expect(headers.get('preference-applied')).toBeNull();
      stored.push(id);
    });

    it('has its work done once a worker comes, whatever became of the waiting', async () => {
      await system.startWorker();
      expect(await allWritten(system.dataFolder, stored)).toBe(stored.length);
    }, 60_000);
  });

  describe('while a worker runs', () => {
    it('gets 200 and what the worker said', async () => {
      const { id, status, headers, body } = await prefer('wait=5');
      expect(status).toBe(200);
      expect(headers.get('preference-applied')).toBe('wait=5');
      expect(body).toEqual({ deliveryId: id, outcome: 'written' });
    });

    it('is told so when the delivery was written before', async () => {
      const { id } = await prefer('wait=5');
      const again = await prefer('wait=5', id);
      expect(again).toMatchObject({ status: 200, body: { deliveryId: id, outcome: 'already-there' } });
    });

    it('gets a 422 when its delivery id was used for another payload', async () => {
      const { id } = await prefer('wait=5');
      const other = await postWebhook(url, { id, body: '{"zen":"Anything else."}' });
      expect(other).toMatchObject({ status: 422, body: { reason: 'conflict' } });
    });
  });
});
