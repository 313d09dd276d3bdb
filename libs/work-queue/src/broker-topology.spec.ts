import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeConnection, gate, RecordingTelemetry, settled } from '../../../test/support/fake-broker.js';
import { BrokerTopology } from './broker-topology.js';
import { resolveSettings } from './config/settings.js';

/** Keeps what is declared; a look takes as long as the test says. */
class MemoryBroker extends FakeConnection {
  readonly queues = new Set<string>();
  beforeAnswer: () => Promise<void> = async () => undefined;

  constructor() {
    super();
    this.inspect = async (name) => {
      const reading = this.queues.has(name) ? { readyMessages: 0, consumers: 0 } : undefined;
      await this.beforeAnswer();
      return reading;
    };
  }

  override async declareQueue(name = ''): Promise<void> {
    this.queues.add(name);
  }
}

const ALL = ['orders.dead', 'orders', 'orders.due', 'orders.alone', 'orders.wait.1s'];

let broker: MemoryBroker;
let telemetry: RecordingTelemetry;
let topology: BrokerTopology;

beforeEach(async () => {
  broker = new MemoryBroker();
  telemetry = new RecordingTelemetry();
  const config = { limits: 'arguments', queues: { orders: { maxLength: 5 } } };
  const settings = await resolveSettings({ url: 'amqp://127.0.0.1', queues: ['orders'], config }, {});
  topology = new BrokerTopology(settings, broker, telemetry, () => undefined);
});

describe('preparing for work', () => {
  it('makes the work queue before the queues for its retries', async () => {
    await topology.ensureForWork('orders', [1000]);
    expect([...broker.queues]).toEqual(ALL);
  });

  it('refuses a queue that the QoS file does not know', async () => {
    await expect(topology.ensureForWork('invoices', [1000])).rejects.toThrow('invoices');
    expect(await topology.waitingWork('invoices')).toBeUndefined();
  });
});

describe('a repair', () => {
  it('asked for while one runs sees what was lost meanwhile', async () => {
    await topology.ensureForWork('orders', [1000]);
    const answer = gate();
    broker.beforeAnswer = () => answer.promise;
    const running = topology.repair();
    await settled();
    // The look that is under way found them all.
    for (const name of ALL) broker.queues.delete(name);
    const asked = topology.repair();
    broker.beforeAnswer = async () => undefined;
    answer.open();
    await Promise.all([running, asked]);
    expect([...broker.queues].toSorted()).toEqual(ALL.toSorted());
  });

  it('goes on with the queues for retries when the work queue cannot be repaired, and says so', async () => {
    await topology.ensureForWork('orders', [1000]);
    broker.queues.delete('orders.due');
    const { inspect } = broker;
    broker.inspect = (name) => (name === 'orders' ? Promise.reject(new Error('no leader')) : inspect(name));
    await topology.repair();
    expect(broker.queues.has('orders.due')).toBe(true);
    expect(telemetry.named('queue.check-failed')).toMatchObject([{ queue: 'orders', reason: 'no leader' }]);
  });
});
