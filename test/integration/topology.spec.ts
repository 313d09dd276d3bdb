import { parseBrokerUrl } from '../../libs/work-queue/src/broker/broker-url.js';
import type { PublishChannel, QueueArguments } from '../../libs/work-queue/src/broker/broker.port.js';
import { type Management, ManagementApi } from '../../libs/work-queue/src/broker/management-api.js';
import type { Policy } from '../../libs/work-queue/src/broker/policy.js';
import { ReconnectingConnection } from '../../libs/work-queue/src/broker/reconnecting-connection.js';
import {
  ensureQueue,
  type QueueTarget,
  repairPolicy,
  type TopologyDeps,
  verifyLimit,
} from '../../libs/work-queue/src/broker/topology.js';
import { ManagementError } from '../../libs/work-queue/src/errors/management.error.js';
import { Telemetry } from '../../libs/work-queue/src/telemetry/telemetry.js';
import { refusal } from '../support/refusal.js';
import { createVhost, manage, type TestVhost } from '../support/vhost.js';

const work: QueueTarget = { name: 'orders', type: 'quorum', overflow: 'reject-publish', maxLength: 5 };
const feed: QueueTarget = { ...work, name: 'prices', overflow: 'drop-head' };

let vhost: TestVhost;
let connection: ReconnectingConnection;
let channel: PublishChannel;
let puts: string[];
let users: string[];
const opened: ReconnectingConnection[] = [];

beforeEach(async () => {
  vhost = await createVhost();
  connection = await connect(vhost.url);
  channel = await connection.openPublishChannel();
  puts = [];
  users = [];
});

afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  for (const user of users) await manage('DELETE', `users/${user}`);
  await vhost.delete();
});

async function connect(url: string): Promise<ReconnectingConnection> {
  const telemetry = new Telemetry();
  const options = {
    url: parseBrokerUrl(url, 'RABBITMQ_URL'),
    name: 'topology.spec',
    startTimeoutMs: 5000,
    telemetry,
  };
  const made = new ReconnectingConnection(options);
  opened.push(made);
  await made.open();
  return made;
}

function managementApi(credentials?: string): ManagementApi {
  const url = new URL(vhost.managementUrl);
  if (credentials !== undefined) [url.username = '', url.password = ''] = credentials.split(':');
  return new ManagementApi({ url: url.href, username: 'guest', password: 'guest', vhost: vhost.name });
}

/** The real API; `puts` counts, and `changes` replace some answers. */
function management(changes: Partial<Management> = {}): Management {
  const api = managementApi();
  return {
    getQueue: (name) => api.getQueue(name),
    listPolicies: () => api.listPolicies(),
    listOperatorPolicies: () => api.listOperatorPolicies(),
    putPolicy: (policy) => {
      puts.push(policy.name);
      return api.putPolicy(policy);
    },
    ...changes,
  };
}

function deps(changes: Partial<TopologyDeps> = {}): TopologyDeps {
  return { connection, management: management(), limits: 'policy', ...changes };
}

async function publish(queue: string, count: number): Promise<string[]> {
  const answers: string[] = [];
  for (let sent = 0; sent < count; sent++) {
    const message = {
      queue,
      body: Buffer.from(String(sent)),
      messageId: String(sent),
      contentType: 'text/plain',
      headers: {},
    };
    const { messageId } = message;
    answers.push(await new Promise((answered) => channel.publish(message, { messageId, answered })));
  }
  return answers;
}

async function accepted(queue: string, count: number): Promise<number> {
  return (await publish(queue, count)).filter((answer) => answer === 'acked').length;
}

async function ready(queue: string): Promise<number | undefined> {
  return (await connection.inspectQueue(queue))?.readyMessages;
}

async function setPolicy(
  kind: 'policies' | 'operator-policies',
  name: string,
  changes: Partial<Policy>,
): Promise<void> {
  const { pattern = '.*', priority = 0, definition = { 'max-length': 3 } } = changes;
  await manage('PUT', `${kind}/${vhost.name}/${name}`, {
    pattern,
    priority,
    definition,
    'apply-to': 'queues',
  });
}

async function createUser(name: string, tags: string, configure = '.*'): Promise<string> {
  const user = `${name}-${vhost.name}`;
  users.push(user);
  await manage('PUT', `users/${user}`, { password: 'pw', tags });
  await manage('PUT', `permissions/${vhost.name}/${user}`, { configure, write: '.*', read: '.*' });
  return `${user}:pw`;
}

async function policyNames(): Promise<string[]> {
  return (await managementApi().listPolicies()).map(({ name }) => name).toSorted();
}

describe('a queue that is not there', () => {
  const telemetry = new Telemetry();

  it.each(['quorum', 'classic'] as const)(
    'is created (%s) with its limit in force from the first message',
    async (type) => {
      const reported = new Promise((resolve) => telemetry.on('queue.ready', resolve));
      const { wasCreated, inForce } = await ensureQueue({ ...work, type }, deps({ telemetry }));
      expect({ wasCreated, ...inForce }).toMatchObject({
        wasCreated: true,
        maxLength: 5,
        overflow: 'reject-publish',
      });
      await expect(reported).resolves.toMatchObject({ queue: 'orders', wasCreated: true, maxLength: 5 });
      expect(await accepted('orders', 10)).toBe(type === 'classic' ? 5 : 6);
      expect(await managementApi().getQueue('orders')).toMatchObject({ type, durable: true });
      expect((await managementApi().getQueue('orders'))?.arguments).not.toHaveProperty('x-max-length');
      expect(await managementApi().getQueue('orders.dead')).toMatchObject({ type: 'quorum', durable: true });
    },
  );

  it('is created by two processes at once without a conflict', async () => {
    const other = await connect(vhost.url);
    const both = [ensureQueue(work, deps()), ensureQueue(work, deps({ connection: other }))];
    for (const { inForce } of await Promise.all(both)) expect(inForce.maxLength).toBe(5);
    expect(await accepted('orders', 10)).toBe(6);
  });

  it('does not disturb others that are created on the same connection at once', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const all = await Promise.all(names.map((name) => ensureQueue({ ...work, name }, deps())));
    expect(all.every(({ wasCreated }) => wasCreated)).toBe(true);
  });

  it('that somebody else creates with other arguments meanwhile gives the reason of the broker', async () => {
    await connection.declareQueue('orders', { 'x-queue-type': 'quorum' });
    const blind = management({ getQueue: () => Promise.resolve(undefined) });
    const message = await refusal(ensureQueue(work, deps({ management: blind })));
    expect(message).toMatch(/inequivalent arg 'x-.*' for queue 'orders'/);
  });

  it('may have a name full of characters that mean something in a pattern', async () => {
    await connection.declareQueue('aXb+c', { 'x-queue-type': 'quorum' });
    await ensureQueue({ ...work, name: 'a.b+c' }, deps());
    expect(await accepted('a.b+c', 10)).toBe(6);
    expect(await accepted('aXb+c', 10)).toBe(10);
    expect(await accepted('a.b+c.dead', 10)).toBe(10);
  });
});

describe('a queue that is there as wanted', () => {
  it('is left alone the second time, without a single PUT', async () => {
    await ensureQueue(work, deps());
    expect(puts).toEqual(['spillway.orders']);
    const again = await ensureQueue(work, deps());
    expect(puts).toEqual(['spillway.orders']);
    expect(again).toMatchObject({ wasCreated: false, inForce: { maxLength: 5 } });
  });

  it('gets another limit without losing a message', async () => {
    await ensureQueue(work, deps());
    expect(await accepted('orders', 10)).toBe(6);
    await ensureQueue({ ...work, maxLength: 20 }, deps());
    expect(await accepted('orders', 10)).toBe(10);
    await ensureQueue({ ...work, maxLength: 3 }, deps());
    expect(await publish('orders', 1)).toEqual(['nacked']);
    expect(await ready('orders')).toBe(16);
  });
});

describe('a queue that is there with other settings', () => {
  const plain: QueueArguments = {};
  const classic: QueueArguments = { 'x-overflow': 'reject-publish' };
  const bounded: QueueArguments = { ...classic, 'x-queue-type': 'quorum', 'x-max-length': 50 };

  // On the first one a policy would drop 25 of the 30: max-length is applied before overflow.
  it.each<[string, QueueArguments, Partial<QueueTarget>]>([
    ['x-overflow: expected "reject-publish", found none', plain, { type: 'classic' }],
    ['type: expected "quorum", found "classic"', classic, {}],
    ['x-max-length: expected none, found 50', bounded, {}],
  ])('is left as it is, with all it holds (%s)', async (difference, declared, changes) => {
    await connection.declareQueue('orders', declared);
    expect(await accepted('orders', 30)).toBe(30);
    const message = await refusal(ensureQueue({ ...work, ...changes }, deps()));
    expect(message).toMatch(difference);
    expect(message).toMatch(/drain and delete the queue.*Nothing was changed/);
    expect(await policyNames()).toEqual([]);
    expect(await ready('orders')).toBe(30);
    expect(await ready('orders.dead')).toBeUndefined();
  });
});

describe('another policy on the queue', () => {
  it.each([100, 200])('of priority %d stops the start and is named', async (priority) => {
    await setPolicy('policies', 'everything', { priority });
    const message = await refusal(ensureQueue(work, deps()));
    expect(message).toMatch(`policy "everything" (priority ${priority}, pattern .*)`);
    expect(message).toMatch('lower its priority below 100');
    expect(await policyNames()).toEqual(['everything']);
    expect(await ready('orders')).toBeUndefined();
  });

  it('of a lower priority is overruled by ours', async () => {
    await setPolicy('policies', 'everything', { priority: 99 });
    await ensureQueue(work, deps());
    expect(await accepted('orders', 10)).toBe(6);
  });

  it('stops a feed when it would replace the bound of the dead letters', async () => {
    await setPolicy('policies', 'graveyards', { priority: 200, pattern: 'dead$' });
    expect(await refusal(ensureQueue(feed, deps()))).toMatch(
      '"prices.dead" is also matched by policy "graveyards"',
    );
  });

  it('of an operator may cap the limit', async () => {
    await setPolicy('operator-policies', 'cap', { definition: { 'max-length': 2 } });
    const { inForce } = await ensureQueue(work, deps());
    expect(inForce).toMatchObject({ maxLength: 2, overflow: 'reject-publish' });
    expect(inForce.decidedBy).toMatch('2 by operator policy "cap"');
    expect(await accepted('orders', 10)).toBe(3);
    expect(await verifyLimit(work, deps())).toMatchObject({ ok: true, inForce: { maxLength: 2 } });
  });
});

describe('a feed', () => {
  it('drops its oldest into a dead-letter queue that is bounded too', async () => {
    const { inForce } = await ensureQueue(feed, deps());
    expect(inForce).toMatchObject({ maxLength: 5, overflow: 'drop-head' });
    expect(await accepted('prices', 20)).toBe(20);
    expect(await ready('prices')).toBe(5);
    const policies = await managementApi().listPolicies();
    expect(policies.find(({ name }) => name === 'spillway.prices.dead')).toMatchObject({
      pattern: '^prices\\.dead$',
      definition: { 'max-length': 1000, overflow: 'drop-head' },
    });
  });

  it('does not start where its first bound would drop dead letters', async () => {
    await connection.declareQueue('prices.dead', { 'x-queue-type': 'quorum' });
    const bodies = Array.from({ length: 1001 }, (_, index) => String(index));
    await Promise.all(bodies.map(() => publish('prices.dead', 1)));
    expect(await refusal(ensureQueue(feed, deps()))).toMatch('holds 1001 messages');
    expect(await ready('prices.dead')).toBe(1001);
    expect(await policyNames()).toEqual([]);
  });
});

describe('the look at a running queue', () => {
  beforeEach(async () => void (await ensureQueue(work, deps())));

  it('finds the policy gone, and a repair sets it again', async () => {
    await manage('DELETE', `policies/${vhost.name}/spillway.orders`);
    const check = await verifyLimit(work, deps());
    expect(check).toMatchObject({ ok: false, inForce: { maxLength: undefined } });
    expect(check).toHaveProperty('reason', expect.stringMatching('Policy "spillway.orders" is missing'));
    expect(await repairPolicy(work, deps())).toBe(true);
    expect(await verifyLimit(work, deps())).toMatchObject({ ok: true, inForce: { maxLength: 5 } });
    expect(await repairPolicy(work, deps())).toBe(false);
  });

  it('finds the policy changed by hand, which a repair respects', async () => {
    const definition = { 'max-length': 9, overflow: 'reject-publish' };
    await setPolicy('policies', 'spillway.orders', { pattern: '^orders$', priority: 100, definition });
    expect(await verifyLimit(work, deps())).toMatchObject({ ok: false, inForce: { maxLength: 9 } });
    expect(await repairPolicy(work, deps())).toBe(false);
  });

  it('finds another policy above ours', async () => {
    await setPolicy('policies', 'override', { priority: 200, definition: { 'max-length': 50 } });
    const check = await verifyLimit(work, deps());
    expect(check).toMatchObject({ ok: false, inForce: { maxLength: 50 } });
    expect(check).toHaveProperty('reason', expect.stringMatching('policy "override" \\(priority 200'));
  });

  it('finds the queue gone', async () => {
    await manage('DELETE', `queues/${vhost.name}/orders`);
    expect(await verifyLimit(work, deps())).toMatchObject({
      ok: false,
      reason: expect.stringMatching('does not exist'),
    });
  });
});

describe('limits by arguments', () => {
  const byArguments = (): TopologyDeps => deps({ management: undefined, limits: 'arguments' });

  it.each(['quorum', 'classic'] as const)(
    'create the queue (%s) and leave it alone afterwards',
    async (type) => {
      const target = { ...work, type };
      expect(await ensureQueue(target, byArguments())).toMatchObject({
        wasCreated: true,
        inForce: { maxLength: 5 },
      });
      expect(await accepted('orders', 10)).toBe(type === 'classic' ? 5 : 6);
      expect(await ensureQueue(target, byArguments())).toMatchObject({ wasCreated: false });
      expect(await verifyLimit(target, byArguments())).toMatchObject({ ok: true });
      expect(await policyNames()).toEqual([]);
    },
  );

  it('cannot be changed, and the error says so with the reason of the broker', async () => {
    await ensureQueue(work, byArguments());
    const changed = { ...work, maxLength: 6 };
    const message = await refusal(ensureQueue(changed, byArguments()));
    expect(message).toMatch(/inequivalent arg 'x-max-length'.*cannot be changed live/);
    expect(await verifyLimit(changed, byArguments())).toMatchObject({
      ok: false,
      reason: expect.stringMatching('x-max-length'),
    });
    expect(await verifyLimit(work, byArguments())).toMatchObject({ ok: true });
  });

  it('bound the dead letters of a feed', async () => {
    await ensureQueue(feed, byArguments());
    expect((await managementApi().getQueue('prices.dead'))?.arguments).toMatchObject({
      'x-max-length': 1000,
    });
  });
});

describe('the rights of the user', () => {
  const as = async (tags: string): Promise<TopologyDeps> =>
    deps({ management: managementApi(await createUser('u', tags)) });

  it('suffice with the tag policymaker', async () => {
    expect(await ensureQueue(work, await as('policymaker'))).toMatchObject({ wasCreated: true });
  });

  it('suffice with the tag management as long as there is nothing to set', async () => {
    const reader = await as('management');
    await expect(ensureQueue(work, reader)).rejects.toThrow(
      /may not set policy "spillway.orders".*tag policymaker/,
    );
    expect(await ready('orders')).toBeUndefined();
    await ensureQueue(work, deps());
    expect(await ensureQueue(work, reader)).toMatchObject({ wasCreated: false });
    expect(await verifyLimit(work, reader)).toMatchObject({ ok: true });
  });

  it('are asked for by name when the user has no tag, and a wrong password is told apart', async () => {
    await expect(ensureQueue(work, await as(''))).rejects.toThrow(/tag management/);
    const wrong = deps({ management: managementApi('guest:wrong') });
    await expect(ensureQueue(work, wrong)).rejects.toThrow(/does not know user "guest" with this password/);
  });

  it('to create the queue are asked for by name', async () => {
    const [user = '', password = ''] = (await createUser('reader', '', '^$')).split(':');
    const url = new URL(vhost.url);
    [url.username, url.password] = [user, password];
    const message = await refusal(ensureQueue(work, deps({ connection: await connect(url.href) })));
    expect(message).toMatch('Grant it configure, write and read permission');
  });

  it('need the vhost to exist', async () => {
    const { managementUrl: url } = vhost;
    const elsewhere = new ManagementApi({ url, username: 'guest', password: 'guest', vhost: 'nowhere' });
    const ensuring = ensureQueue(work, deps({ management: elsewhere }));
    await expect(ensuring).rejects.toThrow(ManagementError);
    await expect(ensuring).rejects.toThrow(/Vhost "nowhere" does not exist/);
  });
});
