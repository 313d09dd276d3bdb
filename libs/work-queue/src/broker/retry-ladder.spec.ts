import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fakeTimeInEachTest, FakeConnection } from '../../../../test/support/fake-broker.js';
import { RetryLadder } from './retry-ladder.js';

fakeTimeInEachTest();

/** Keeps what is declared; the test says how many messages are in it. */
class MemoryBroker extends FakeConnection {
  readonly messages = new Map<string, number>();
  declares = 0;
  failure: Error | undefined;

  constructor() {
    super();
    this.inspect = async (name) => {
      const readyMessages = this.messages.get(name);
      return readyMessages === undefined ? undefined : { readyMessages, consumers: 0 };
    };
  }

  override async declareQueue(name = ''): Promise<void> {
    this.declares++;
    if (this.failure) throw this.failure;
    if (!this.messages.has(name)) this.messages.set(name, 0);
  }

  hold(messages: Record<string, number>): void {
    for (const [name, count] of Object.entries(messages)) this.messages.set(name, count);
  }
}

let broker: MemoryBroker;
let ladder: RetryLadder;

beforeEach(() => {
  broker = new MemoryBroker();
  ladder = new RetryLadder('orders', { connection: broker, management: undefined });
});

describe('preparing the retry queues', () => {
  it('asks for time when they were created just now, and for less the later one asks', async () => {
    expect(await ladder.prepare([1000])).toEqual({ wasCreated: true, settleMs: 1500 });
    jest.setSystemTime(Date.now() + 1000);
    expect(await ladder.prepare([1000])).toEqual({ wasCreated: true, settleMs: 500 });
    jest.setSystemTime(Date.now() + 1000);
    expect(await ladder.prepare([1000])).toEqual({ wasCreated: true, settleMs: 0 });
  });

  it('asks for time when one is empty: another process may just have created it', async () => {
    broker.hold({ 'orders.due': 1, 'orders.alone': 1, 'orders.wait.1s': 0 });
    expect(await ladder.prepare([1000])).toEqual({ wasCreated: false, settleMs: 1500 });
  });

  it('asks for none when there is something in each', async () => {
    broker.hold({ 'orders.due': 1, 'orders.alone': 1, 'orders.wait.1s': 1 });
    expect(await ladder.prepare([1000])).toEqual({ wasCreated: false, settleMs: 0 });
  });

  it('makes each step once, whoever asks for it', async () => {
    await Promise.all([ladder.prepare([1000]), ladder.prepare([1000])]);
    expect(broker.declares).toBe(3);
    await ladder.prepare([1000]);
    expect(broker.declares).toBe(3);
    await ladder.prepare([2000]);
    expect(broker.messages.has('orders.wait.2s')).toBe(true);
  });

  it('makes the due queue and that of what runs alone though there is no step', async () => {
    await ladder.prepare([]);
    expect([...broker.messages.keys()]).toEqual(['orders.due', 'orders.alone']);
  });

  it('tries again after a failure', async () => {
    broker.failure = new Error('away');
    await expect(ladder.prepare([1000])).rejects.toThrow('away');
    broker.failure = undefined;
    await ladder.prepare([1000]);
    expect([...broker.messages.keys()]).toEqual(['orders.due', 'orders.alone', 'orders.wait.1s']);
  });
});

describe('repairing the retry queues', () => {
  it('makes what is gone anew, the step that was asked for later too', async () => {
    await ladder.prepare([1000]);
    await ladder.prepare([2000]);
    broker.messages.clear();
    await ladder.repair();
    expect([...broker.messages.keys()]).toEqual([
      'orders.due',
      'orders.alone',
      'orders.wait.1s',
      'orders.wait.2s',
    ]);
  });

  it('has whoever asks afterwards wait until the new ones are settled', async () => {
    await ladder.prepare([1000]);
    jest.setSystemTime(Date.now() + 60_000);
    broker.messages.delete('orders.due');
    await ladder.repair();
    expect(await ladder.prepare([1000])).toMatchObject({ settleMs: 1500 });
  });

  it('declares nothing when nothing is gone, and nothing that was never made', async () => {
    await ladder.repair();
    expect(broker.declares).toBe(0);
    await ladder.prepare([1000]);
    broker.declares = 0;
    await ladder.repair();
    expect(broker.declares).toBe(0);
  });

  it('goes on knowing them when it fails', async () => {
    await ladder.prepare([1000]);
    broker.messages.clear();
    broker.failure = new Error('away');
    await expect(ladder.repair()).rejects.toThrow('away');
    expect(await ladder.problem()).toMatch('"orders.due", "orders.alone", "orders.wait.1s"');
    broker.failure = undefined;
    await ladder.repair();
    expect(await ladder.problem()).toBeUndefined();
  });
});

describe('counting the waiting work', () => {
  it('adds up the due queue, what runs alone and all steps', async () => {
    await ladder.prepare([1000]);
    await ladder.prepare([2000]);
    broker.hold({ 'orders.due': 3, 'orders.alone': 4000, 'orders.wait.1s': 20, 'orders.wait.2s': 100 });
    expect(await ladder.waitingMessages()).toBe(4123);
  });

  it('asks for no queue before it was made, for that would cost a channel', async () => {
    expect(await ladder.waitingMessages()).toBeUndefined();
    expect(broker.inspected).toEqual([]);
  });

  it('gives no number when one cannot be read', async () => {
    await ladder.prepare([1000]);
    const { inspect } = broker;
    broker.inspect = (name) => (name === 'orders.due' ? Promise.reject(new Error('late')) : inspect(name));
    expect(await ladder.waitingMessages()).toBeUndefined();
    broker.inspect = inspect;
    broker.messages.delete('orders.wait.1s');
    expect(await ladder.waitingMessages()).toBeUndefined();
  });
});
