import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { PublishOptions, WorkQueue, WorkQueueRuntime } from '@spillway/work-queue';
import { PublishRefusedError } from '../../libs/work-queue/src/errors/publish-refused.error.js';
import { drainIds } from '../support/drain.js';
import { Ledger } from '../support/ledger.js';
import { openPublisher } from '../support/open-publisher.js';
import { StallingProxy } from '../support/stalling-proxy.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const MAX_MESSAGE_BYTES = 10_000;
const circular: Record<string, unknown> = {};
circular.self = circular;

const BAD_PAYLOADS: ReadonlyArray<readonly [string, unknown]> = [
  ['a payload with a circle', circular],
  ['a payload with a BigInt', { total: 1n }],
  ['a payload that JSON has no word for', () => 1],
];
const BAD_OPTIONS: ReadonlyArray<readonly [string, PublishOptions]> = [
  ['a header over 64 KiB', { headers: { long: 'x'.repeat(65_536) } }],
  ['a header that AMQP has no type for', { headers: { symbol: Symbol('no type') } }],
  ['a header that routes elsewhere', { headers: { CC: ['other'] } }],
  ['a header that the broker closes the channel for', { headers: { BCC: 'other' } }],
  ['a header that the broker closes the connection for', { headers: { ratio: Infinity } }],
  ['a message id that would arrive as another', { messageId: 'x\ud800' }],
  ['a message id over 255 bytes', { messageId: 'ä'.repeat(128) }],
  ['a deadline in the past', { deadline: new Date(0) }],
  ['a deadline that is no date', { deadline: new Date(NaN) }],
  // n.b. as from JavaScript.
  ['a deadline of another type', JSON.parse('{"deadline":"2030-01-01"}')],
  ['a deadline that never comes', { deadline: new Date(Infinity), expire: true }],
];
const BAD_WAITS = [-1, NaN, Infinity];

interface BadInput {
  readonly what: string;
  send(queue: WorkQueue): Promise<unknown>;
  readonly reason: string;
}

const BAD_INPUT: readonly BadInput[] = [
  {
    what: 'a body over the limit',
    send: (queue) => queue.publish('x'.repeat(MAX_MESSAGE_BYTES)),
    reason: 'too-large',
  },
  ...BAD_PAYLOADS.map(([what, payload]) => invalid(what, (queue) => queue.publish(payload))),
  ...BAD_OPTIONS.map(([what, options]) => invalid(what, (queue) => queue.publish({}, options))),
  ...BAD_WAITS.map((waitMs) => invalid(`a wait of ${waitMs} ms`, (queue) => queue.request({}, { waitMs }))),
];

describe('what cannot be published', () => {
  let vhost: TestVhost;
  let proxy: StallingProxy;
  let publisher: WorkQueueRuntime;
  let ledger: Ledger;

  beforeAll(async () => {
    vhost = await createVhost();
    proxy = await StallingProxy.open(vhost.url);
    const queues = { orders: { maxLength: 100, serviceTime: '1ms' } };
    const options = { maxMessageBytes: MAX_MESSAGE_BYTES };
    publisher = await openPublisher({ ...vhost, url: proxy.url }, queues, options);
    ledger = new Ledger(publisher.queue('orders'));
  });

  afterAll(async () => {
    await publisher.close();
    await proxy.close();
    await vhost.delete();
  });

  it.each(BAD_INPUT)(
    '($what) is refused before anything is sent, and the next publish works',
    async (bad) => {
      const sentBefore = proxy.publishes;
      const error = await thrownBy(() => bad.send(publisher.queue('orders')));
      const sent = proxy.publishes - sentBefore;
      expect((await ledger.publish()).outcome).toBe('accepted');
      expect(error).toBeInstanceOf(PublishRefusedError);
      expect(error).toMatchObject({ reason: bad.reason, retryAfterMs: undefined });
      expect(sent).toBe(0);
    },
  );

  it('leaves nothing in the queue', async () => {
    expect(ledger.differences(await drainIds(vhost.url, 'orders'))).toEqual([]);
  });
});

function invalid(what: string, send: BadInput['send']): BadInput {
  return { what, send, reason: 'invalid-message' };
}

async function thrownBy(action: () => Promise<unknown>): Promise<unknown> {
  try {
    return { isAccepted: true, answer: await action() };
  } catch (error) {
    return error;
  }
}
