import { describe, expect, it } from '@jest/globals';
import { FakeConnection } from '../../../../test/support/fake-broker.js';
import type { QueueReading } from './broker.port.js';
import type { Management } from './management-api.js';
import type { Policy } from './policy.js';
import { ensureRetryQueues, problemOfRetries } from './retry-topology.js';

const target = { queue: 'orders', stepsMs: [500, 60_000] };
const EMPTY: QueueReading = { readyMessages: 0, consumers: 0 };

/** A broker that holds the queues named, and writes down which are declared. */
class BrokerWith extends FakeConnection {
  readonly declared: string[] = [];
  refusal: { readonly queue: string; readonly error: Error } | undefined;

  constructor(queues: readonly string[] = []) {
    super();
    this.inspect = async (name) => (queues.includes(name) ? EMPTY : undefined);
  }

  override async declareQueue(name?: string): Promise<void> {
    if (name === undefined) return;
    if (this.refusal?.queue === name) throw this.refusal.error;
    this.declared.push(name);
  }
}

function api(policies: readonly Policy[] = []): Management {
  return {
    getQueue: async () => undefined,
    listPolicies: async () => [...policies],
    listOperatorPolicies: async () => undefined,
    putPolicy: async () => undefined,
  };
}

const catchAll: Policy = {
  name: 'everything',
  pattern: '.*',
  applyTo: 'queues',
  priority: 0,
  definition: { 'max-length': 5 },
};

describe('making the retry queues', () => {
  it('makes the due queue and that of what runs alone before those that lead to them', async () => {
    const connection = new BrokerWith();
    const { wasCreated } = await ensureRetryQueues(target, { connection, management: api() });
    expect(connection.declared).toEqual([
      'orders.due',
      'orders.alone',
      'orders.wait.500ms',
      'orders.wait.1m',
    ]);
    expect(wasCreated).toBe(true);
  });

  it('asks no connection whether they are there when the management API can tell', async () => {
    const connection = new BrokerWith();
    await ensureRetryQueues(target, { connection, management: api() });
    expect(connection.inspected).toEqual([]);
  });

  it('without the API compares those that are there before it makes one', async () => {
    const connection = new BrokerWith(['orders.wait.1m']);
    await ensureRetryQueues(target, { connection, management: undefined });
    expect(connection.declared).toEqual([
      'orders.wait.1m',
      'orders.due',
      'orders.alone',
      'orders.wait.500ms',
    ]);
    const error = Object.assign(new Error("PRECONDITION_FAILED - inequivalent arg 'x-message-ttl'"), {
      code: 406,
    });
    const other = new BrokerWith(['orders.wait.1m']);
    other.refusal = { queue: 'orders.wait.1m', error };
    await expect(ensureRetryQueues(target, { connection: other, management: undefined })).rejects.toThrow(
      /"orders.wait.1m".*inequivalent arg 'x-message-ttl'.*Drain and delete it.*Nothing was changed/,
    );
    expect(other.declared).toEqual([]);
  });

  it('makes none when a policy would harm them, and names it', async () => {
    const connection = new BrokerWith();
    const management = api([catchAll]);
    await expect(ensureRetryQueues(target, { connection, management })).rejects.toThrow(
      /^RabbitMQ applies policy "everything" \(priority 0, pattern \.\*\) with max-length 5 to "orders.due" and 3 more,.*Narrow its pattern.*Nothing was changed/,
    );
    expect(connection.declared).toEqual([]);
  });

  it('passes on errors that are not about topology as they are', async () => {
    const connection = new BrokerWith();
    const lost = new Error('Connection closed');
    connection.refusal = { queue: 'orders.due', error: lost };
    await expect(ensureRetryQueues(target, { connection, management: undefined })).rejects.toBe(lost);
  });
});

describe('the look at the retry queues of a running process', () => {
  const all = ['orders.due', 'orders.alone', 'orders.wait.500ms', 'orders.wait.1m'];

  it('finds nothing wrong when all are there', async () => {
    const deps = { connection: new BrokerWith(all), management: api() };
    expect(await problemOfRetries(target, deps)).toBeUndefined();
  });

  it('names those that are missing', async () => {
    const deps = { connection: new BrokerWith(['orders.wait.1m']), management: undefined };
    expect(await problemOfRetries(target, deps)).toBe(
      'Missing on the broker: "orders.due", "orders.alone", "orders.wait.500ms".',
    );
  });

  it('names a policy that came later and harms them', async () => {
    const deps = { connection: new BrokerWith(all), management: api([catchAll]) };
    expect(await problemOfRetries(target, deps)).toMatch('policy "everything"');
  });
});
