import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseBrokerUrl } from '../../libs/work-queue/src/broker/broker-url.js';
import type { IncomingMessage, OutgoingMessage } from '../../libs/work-queue/src/broker/broker.port.js';
import { ManagementApi } from '../../libs/work-queue/src/broker/management-api.js';
import type { Policy } from '../../libs/work-queue/src/broker/policy.js';
import { ReconnectingConnection } from '../../libs/work-queue/src/broker/reconnecting-connection.js';
import { BrokerTopology } from '../../libs/work-queue/src/broker-topology.js';
import { resolveSettings } from '../../libs/work-queue/src/config/settings.js';
import { refusal } from '../support/refusal.js';
import { RecordingTelemetry } from '../support/fake-broker.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';

const STEPS_MS = [100, 60_000];
const RETRY_QUEUES = ['orders.due', 'orders.alone', 'orders.wait.100ms', 'orders.wait.1m'];
const LIMITS = ['policy', 'arguments'] as const;
/** The API tells all that differs, the broker the first it compares. */
const DIFFERENCE = {
  policy: 'x-message-ttl: expected 60000, found 100',
  arguments: /inequivalent arg 'x-[a-z-]+' for queue 'orders\.wait\.1m'/,
} as const;

let vhost: TestVhost;
let connection: ReconnectingConnection;
let telemetry: RecordingTelemetry;
let managementApi: ManagementApi;
const opened: ReconnectingConnection[] = [];

beforeEach(async () => {
  vhost = await createVhost();
  telemetry = new RecordingTelemetry();
  connection = await connect();
  managementApi = new ManagementApi({
    url: vhost.managementUrl,
    username: 'guest',
    password: 'guest',
    vhost: vhost.name,
  });
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await vhost.delete();
});

async function connect(): Promise<ReconnectingConnection> {
  const url = parseBrokerUrl(vhost.url, 'RABBITMQ_URL');
  const made = new ReconnectingConnection({
    url,
    name: 'retry-topology.spec',
    startTimeoutMs: 5000,
    telemetry,
  });
  opened.push(made);
  await made.open();
  return made;
}

/** What one process knows of its queues; another one of the same process knows nothing of this. */
async function processOf(
  limits: (typeof LIMITS)[number] = 'policy',
  over = connection,
): Promise<BrokerTopology> {
  const { url, managementUrl } = vhost;
  const queues = { orders: { type: 'quorum', maxLength: 5 } };
  const wanted = { url, managementUrl, queues: ['orders'], config: { limits, queues } };
  return new BrokerTopology(await resolveSettings(wanted, {}), over, telemetry, () => undefined);
}

async function publish(message: Partial<OutgoingMessage> & { readonly queue: string }): Promise<void> {
  const channel = await connection.openPublishChannel();
  const whole = {
    body: Buffer.from('{}'),
    messageId: 'm-1',
    contentType: 'application/json',
    headers: {},
    ...message,
  };
  const answer = await new Promise((answered) =>
    channel.publish(whole, { messageId: whole.messageId, answered }),
  );
  expect(answer).toBe('acked');
}

async function nextOf(queue: string): Promise<IncomingMessage> {
  const channel = await connection.openConsumeChannel();
  return new Promise<IncomingMessage>((resolve, reject) => {
    const onCancelled = (): void => reject(new Error(`the consumer of ${queue} was cancelled`));
    channel.consume({ queue, prefetch: 1, consumerTag: 'c', onMessage: resolve, onCancelled }).catch(reject);
  });
}

async function argumentsOf(queue: string): Promise<unknown> {
  return (await managementApi.getQueue(queue))?.arguments;
}

async function thereAre(queues: readonly string[]): Promise<boolean[]> {
  return Promise.all(queues.map(async (queue) => (await connection.inspectQueue(queue)) !== undefined));
}

async function setPolicy(
  kind: 'policies' | 'operator-policies',
  definition: Policy['definition'],
): Promise<void> {
  await manage('PUT', `${kind}/${vhost.name}/everything`, {
    pattern: '.*',
    priority: 0,
    definition,
    'apply-to': 'queues',
  });
}

async function deleteQueue(queue: string): Promise<void> {
  await manage('DELETE', `queues/${vhost.name}/${queue}`);
}

describe.each(LIMITS)('with limits: %s the retry queues', (limits) => {
  it('are made with exactly these arguments', async () => {
    const { wasCreated } = await (await processOf(limits)).ensureForWork('orders', STEPS_MS);
    expect(wasCreated).toBe(true);
    for (const queue of ['orders.due', 'orders.alone']) {
      expect(await managementApi.getQueue(queue)).toMatchObject({ type: 'quorum', durable: true });
      expect(await argumentsOf(queue)).toEqual({
        'x-queue-type': 'quorum',
        'x-delivery-limit': 1_000_000,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': 'orders.dead',
      });
    }
    for (const [queue, ttlMs] of [
      ['orders.wait.100ms', 100],
      ['orders.wait.1m', 60_000],
    ] as const) {
      expect(await managementApi.getQueue(queue)).toMatchObject({ type: 'quorum', durable: true });
      expect(await argumentsOf(queue)).toEqual({
        'x-queue-type': 'quorum',
        'x-delivery-limit': 1_000_000,
        'x-message-ttl': ttlMs,
        'x-overflow': 'reject-publish',
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': 'orders.due',
        'x-dead-letter-strategy': 'at-least-once',
      });
    }
  });

  it('are left alone the second time, with all they hold', async () => {
    await (await processOf(limits)).ensureForWork('orders', STEPS_MS);
    await publish({ queue: 'orders.wait.1m' });
    const again = await (await processOf(limits)).ensureForWork('orders', STEPS_MS);
    expect(again.wasCreated).toBe(false);
    expect((await connection.inspectQueue('orders.wait.1m'))?.readyMessages).toBe(1);
  });

  it('are made by several processes at once without a conflict', async () => {
    const connections = [connection, await connect(), await connect()];
    const processes = await Promise.all(connections.map((over) => processOf(limits, over)));
    await Promise.all(processes.map((each) => each.ensureForWork('orders', STEPS_MS)));
    expect(await thereAre(RETRY_QUEUES)).toEqual([true, true, true, true]);
  });

  it('hand work over to the due queue when its wait ends, as it was published', async () => {
    await (await processOf(limits)).ensureForWork('orders', STEPS_MS);
    const arrived = nextOf('orders.due');
    const publishedAt = performance.now();
    await publish({
      queue: 'orders.wait.100ms',
      body: Buffer.from('{"order":7}'),
      messageId: 'order-7',
      headers: { 'x-attempt': 2, 'x-error': 'Ünexpected' },
      replyTo: 'caller-7',
      correlationId: 'call-7',
    });
    const message = await arrived;
    const waitedMs = performance.now() - publishedAt;
    expect(message.body.toString()).toBe('{"order":7}');
    expect(message).toMatchObject({
      messageId: 'order-7',
      contentType: 'application/json',
      headers: { 'x-attempt': 2, 'x-error': 'Ünexpected' },
      replyTo: 'caller-7',
      correlationId: 'call-7',
    });
    expect(waitedMs).toBeGreaterThanOrEqual(95);
    expect(waitedMs).toBeLessThan(2_000);
  });

  it('are refused when one exists with other arguments, and the others are not made', async () => {
    const wrong = { 'x-queue-type': 'quorum', 'x-message-ttl': 100 };
    await connection.declareQueue('orders.wait.1m', wrong);
    await publish({ queue: 'orders.wait.1m', expirationMs: 600_000 });
    const message = await refusal((await processOf(limits)).ensureForWork('orders', STEPS_MS));
    expect(message).toMatch(
      /"orders\.wait\.1m" exists with other settings.*Drain and delete.*made anew.*Nothing was changed/i,
    );
    expect(message).toMatch(DIFFERENCE[limits]);
    expect(await thereAre(RETRY_QUEUES)).toEqual([false, false, false, true]);
    expect(await argumentsOf('orders.wait.1m')).toEqual(wrong);
  });

  it('that are gone are named, and made anew by a repair, the step asked for later too', async () => {
    const process = await processOf(limits);
    await process.ensureForWork('orders', STEPS_MS);
    await process.ensureWaitStep('orders', 7000);
    for (const queue of ['orders.due', 'orders.alone', 'orders.wait.7s']) await deleteQueue(queue);
    expect(await process.problems()).toEqual([
      'orders: Missing on the broker: "orders.due", "orders.alone", "orders.wait.7s".',
    ]);
    await process.repair();
    expect(await thereAre([...RETRY_QUEUES, 'orders.wait.7s'])).toEqual([true, true, true, true, true]);
    expect(telemetry.named('queue.check-failed')).toEqual([]);
  });

  it('ask for time before the first publish unless each holds something', async () => {
    const isShort = (settleMs: number): boolean => settleMs > 0 && settleMs <= 1500;
    const first = await (await processOf(limits)).ensureForWork('orders', [60_000]);
    expect(first).toMatchObject({ wasCreated: true });
    expect(isShort(first.settleMs)).toBe(true);
    const empty = await (await processOf(limits)).ensureForWork('orders', [60_000]);
    expect(isShort(empty.settleMs)).toBe(true);
    for (const queue of ['orders.due', 'orders.alone', 'orders.wait.1m']) await publish({ queue });
    const filled = await processOf(limits);
    expect(await filled.ensureForWork('orders', [60_000])).toEqual({ wasCreated: false, settleMs: 0 });
    const step = await filled.ensureWaitStep('orders', 7000);
    expect(isShort(step.settleMs)).toBe(true);
  });
});

describe('a policy that matches the retry queues', () => {
  // On the work queue ours takes precedence, and nothing of ours is there to do so on the others.
  it.each([
    ['policies', 'policy', { 'max-length': 5 }],
    ['policies', 'policy', { 'message-ttl': 50 }],
    ['policies', 'policy', { 'delivery-limit': 20 }],
    ['operator-policies', 'operator policy', { expires: 60_000 }],
  ] as const)('among %s is refused when it would harm them (%s, %j)', async (kind, words, definition) => {
    await setPolicy(kind, definition);
    const process = await processOf();
    await process.ensure('orders');
    const message = await refusal(process.ensureForWork('orders', STEPS_MS));
    const [[key, value] = []] = Object.entries(definition);
    expect(message).toMatch(`${words} "everything" (priority 0, pattern .*) with ${key} ${value}`);
    expect(message).toMatch(/"orders\.due" and 3 more.*Narrow its pattern.*Nothing was changed/);
    expect(await thereAre(RETRY_QUEUES)).toEqual([false, false, false, false]);
  });

  it('makes the process unready when it comes later', async () => {
    const process = await processOf();
    await process.ensureForWork('orders', STEPS_MS);
    await setPolicy('policies', { 'max-length': 5 });
    expect(await process.problems()).toEqual([
      expect.stringMatching('orders: RabbitMQ applies policy "everything"'),
    ]);
  });

  it('is accepted when their arguments win over it', async () => {
    await setPolicy('policies', {
      'dead-letter-exchange': '',
      'dead-letter-routing-key': 'graveyard',
      'delivery-limit': 2_000_000,
    });
    await connection.declareQueue('graveyard', { 'x-queue-type': 'quorum' });
    await (await processOf()).ensureForWork('orders', STEPS_MS);
    const arrived = nextOf('orders.due');
    await publish({ queue: 'orders.wait.100ms', messageId: 'order-8' });
    expect(await arrived).toMatchObject({ messageId: 'order-8' });
  });
});

describe('a wait step outside the ladder', () => {
  it('is tried again after it failed', async () => {
    const process = await processOf();
    await process.ensureForWork('orders', STEPS_MS);
    await connection.declareQueue('orders.wait.7s', { 'x-queue-type': 'quorum' });
    await refusal(process.ensureWaitStep('orders', 7000));
    await deleteQueue('orders.wait.7s');
    expect(await process.ensureWaitStep('orders', 7000)).toMatchObject({ wasCreated: true });
  });
});

describe('the work that waits', () => {
  it('is counted over all steps, the due queue and what runs alone', async () => {
    const process = await processOf();
    expect(await process.waitingWork('orders')).toBeUndefined();
    await process.ensureForWork('orders', [60_000]);
    await process.ensureWaitStep('orders', 7_200_000);
    const waiting = ['orders.due', 'orders.alone', 'orders.wait.1m', 'orders.wait.2h', 'orders.wait.2h'];
    for (const queue of [...waiting, 'orders']) await publish({ queue });
    expect(await process.waitingWork('orders')).toBe(5);
  });

  it('has no number while one of the queues is gone', async () => {
    const process = await processOf();
    await process.ensureForWork('orders', [60_000]);
    await deleteQueue('orders.due');
    expect(await process.waitingWork('orders')).toBeUndefined();
  });
});
