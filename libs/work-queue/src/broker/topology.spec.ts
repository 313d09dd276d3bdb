import { ConfigurationError } from '../errors/configuration.error.js';
import type { Management } from './management-api.js';
import { ensureQueue, type QueueTarget, type TopologyDeps } from './topology.js';

const target: QueueTarget = { name: 'orders', type: 'quorum', overflow: 'reject-publish', maxLength: 127 };

/** An empty broker that writes down what it is asked to do. */
function emptyBroker(steps: string[]): { connection: TopologyDeps['connection']; management: Management } {
  const note = async (step: string): Promise<undefined> => void steps.push(step);
  return {
    connection: {
      declareQueue: (name) => note(`declare ${name}`),
      inspectQueue: (name) => note(`inspect ${name}`),
    },
    management: {
      getQueue: async () => undefined,
      listPolicies: async () => [],
      listOperatorPolicies: async () => undefined,
      putPolicy: ({ name }) => note(`put ${name}`),
    },
  };
}

describe('setting up a queue', () => {
  it('puts policies before queues and the dead-letter queue before the queue that uses it', async () => {
    const steps: string[] = [];
    await ensureQueue({ ...target, overflow: 'drop-head' }, { ...emptyBroker(steps), limits: 'policy' });
    expect(steps).toEqual([
      'put spillway.orders',
      'put spillway.orders.dead',
      'declare orders.dead',
      'declare orders',
    ]);
  });

  it('says what could not be seen', async () => {
    const { inForce } = await ensureQueue(target, { ...emptyBroker([]), limits: 'policy' });
    expect(inForce.decidedBy).toMatch('operator policies: this user may not see them');
  });

  it('passes on errors that are not about topology as they are', async () => {
    const lost = new Error('Connection closed');
    const broker = emptyBroker([]);
    const connection = { ...broker.connection, declareQueue: () => Promise.reject(lost) };
    await expect(ensureQueue(target, { ...broker, connection, limits: 'policy' })).rejects.toBe(lost);
  });

  it('by policy needs a management URL and names the other way', async () => {
    const ensuring = ensureQueue(target, { ...emptyBroker([]), management: undefined, limits: 'policy' });
    await expect(ensuring).rejects.toThrow(ConfigurationError);
    await expect(ensuring).rejects.toThrow(/no management URL is set.*limits: arguments/);
  });
});
