import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { connect } from 'amqplib';
import { spawnApp } from '../support/app-process.js';
import { readyMessages } from '../support/queue.js';
import { System } from '../support/system.js';

type Environment = Readonly<Record<string, string>>;

describe.each(['gateway', 'events-worker'] as const)('%s started wrongly', (app) => {
  let system: System;

  beforeEach(async () => {
    system = await System.create({ maxLength: 100, serviceTime: '5ms', type: 'classic' });
  }, 30_000);

  afterEach(() => system.close());

  it('names every problem of the QoS file with its line', async () => {
    const config = join(system.folder, 'wrong.yaml');
    await writeFile(
      config,
      'queues:\n  github-events:\n    maxLatency: 2s\n    serviceTime: 20\n    prefetch: 0\n',
    );
    const output = await failedStart({ SPILLWAY_CONFIG: config });
    expect(output).toContain(config);
    expect(output).toMatch(/line 4: .*serviceTime/);
    expect(output).toMatch(/line 5: .*prefetch: .*got: 0/);
  }, 30_000);

  it('says which QoS file is missing', async () => {
    const output = await failedStart({ SPILLWAY_CONFIG: join(system.folder, 'absent.yaml') });
    expect(output).toContain('absent.yaml');
    expect(output).toContain('SPILLWAY_CONFIG');
  }, 30_000);

  it('says where no broker listens, after waiting for it', async () => {
    const output = await failedStart({ RABBITMQ_URL: `amqp://guest:s3cret@127.0.0.1:${await freePort()}` });
    expect(output).toMatch(/nothing listens at amqp:\/\/127\.0\.0\.1/);
    expect(output).not.toContain('s3cret');
  }, 60_000);

  it('says which user the broker refuses', async () => {
    const url = new URL(system.environment.RABBITMQ_URL ?? '');
    url.password = 'wr0ng';
    const output = await failedStart({ RABBITMQ_URL: url.href });
    expect(output).toMatch(/refuses user "guest"/);
    expect(output).not.toContain('wr0ng');
  }, 30_000);

  it('says that a vhost is missing', async () => {
    const url = new URL(system.environment.RABBITMQ_URL ?? '');
    url.pathname = '/no-such-vhost';
    expect(await failedStart({ RABBITMQ_URL: url.href })).toContain('has no vhost "no-such-vhost"');
  }, 30_000);

  it('says that limits need the management API, and how to do without', async () => {
    const output = await failedStart({ RABBITMQ_MANAGEMENT_URL: '' });
    expect(output).toContain('RABBITMQ_MANAGEMENT_URL');
    expect(output).toContain('limits: arguments');
  }, 30_000);

  it('says that nothing answers at the management URL', async () => {
    const output = await failedStart({ RABBITMQ_MANAGEMENT_URL: `http://127.0.0.1:${await freePort()}` });
    expect(output).toMatch(/management/i);
    expect(output).toContain('ECONNREFUSED');
  }, 30_000);

  it('names what differs in a queue that exists with other arguments, and leaves its messages alone', async () => {
    const url = system.environment.RABBITMQ_URL ?? '';
    const connection = await connect(url);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue('github-events', { durable: true });
    for (let index = 0; index < 200; index++) channel.sendToQueue('github-events', Buffer.from('x'));
    await channel.waitForConfirms();
    await connection.close();
    const output = await failedStart({});
    expect(output).toContain('github-events');
    expect(output).toContain('x-overflow');
    expect(await readyMessages(url, 'github-events')).toBe(200);
  }, 30_000);

  /** What it printed; it must have ended by itself, not with 0, and without a stack trace. */
  async function failedStart(environment: Environment): Promise<string> {
    const process = spawnApp(app, { ...system.environment, ...environment });
    expect(await process.exited).toBeGreaterThan(0);
    const output = process.lines.join('\n');
    expect(output).not.toMatch(/^\s+at /m);
    return output;
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
