import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigurationError } from '../errors/configuration.error.js';
import { resolveSettings, type WorkQueueOptions } from './settings.js';

const CONFIG = { limits: 'arguments', queues: { orders: { maxLength: 100 }, mails: { maxLength: 100 } } };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spillway-settings-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function fileWith(queue: string): Promise<string> {
  const path = join(folder, `${queue}.yaml`);
  await writeFile(path, `limits: arguments\nqueues:\n  ${queue}: { maxLength: 100 }\n`);
  return path;
}

async function problemOf(
  options: WorkQueueOptions,
  environment: Record<string, string> = {},
): Promise<string> {
  const error: unknown = await resolveSettings(options, environment).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigurationError);
  return error instanceof Error ? error.message : '';
}

describe('the settings of a process', () => {
  it('have a default for everything but the QoS', async () => {
    expect(await resolveSettings({ config: CONFIG }, {})).toMatchObject({
      queues: [],
      url: { safeUrl: 'amqp://127.0.0.1:5672', username: 'guest' },
      managementUrl: undefined,
      limits: 'arguments',
      codecs: {},
      name: 'spillway',
      drainTimeoutMs: 20_000,
      slotWaitMs: 50,
      confirmTimeoutMs: 5_000,
      maxMessageBytes: 16_000_000,
      maxCallers: 1_000,
      recentIds: 10_000,
    });
  });

  it('prefer options to the environment, and the environment to defaults', async () => {
    const environment = {
      RABBITMQ_URL: 'amqp://from-environment',
      RABBITMQ_MANAGEMENT_URL: 'http://from-environment',
      SPILLWAY_CONFIG: await fileWith('environment'),
    };
    const fromEnvironment = await resolveSettings({}, environment);
    expect(fromEnvironment.url.hostname).toBe('from-environment');
    expect(fromEnvironment.managementUrl).toBe('http://from-environment');
    expect([...fromEnvironment.qos.keys()]).toEqual(['environment']);

    const options = {
      url: 'amqp://from-option',
      managementUrl: 'http://from-option',
      config: await fileWith('option'),
    };
    const fromOptions = await resolveSettings(options, environment);
    expect(fromOptions.url.hostname).toBe('from-option');
    expect(fromOptions.managementUrl).toBe('http://from-option');
    expect([...fromOptions.qos.keys()]).toEqual(['option']);
  });

  it('take an empty variable for one that is not set', async () => {
    const environment = { RABBITMQ_URL: '', RABBITMQ_MANAGEMENT_URL: '' };
    const settings = await resolveSettings({ config: CONFIG }, environment);
    expect(settings.url.hostname).toBe('127.0.0.1');
    expect(settings.managementUrl).toBeUndefined();
    expect(await problemOf({ queues: ['no such queue'] }, { SPILLWAY_CONFIG: '' })).toContain(
      'spillway.yaml',
    );
  });

  it('cannot be changed afterwards', async () => {
    expect(Object.isFrozen(await resolveSettings({ config: CONFIG }, {}))).toBe(true);
  });

  it('are refused with all problems at once', async () => {
    const options = {
      config: { queues: CONFIG.queues },
      queues: ['oders'],
      slotWaitMs: 0,
      confirmTimeoutMs: Number.NaN,
    };
    const problem = await problemOf(options, { RABBITMQ_URL: 'http://rabbit' });
    expect(problem).toContain('RABBITMQ_URL: expected an AMQP URL');
    expect(problem).toContain('queue "oders" has no QoS in WorkQueueModule config (it has: orders, mails)');
    expect(problem).toContain('slotWaitMs: expected an integer from 1 to 60000, got: 0');
    expect(problem).toContain('confirmTimeoutMs: expected an integer from 1 to 3600000, got: NaN');
    expect(problem).toContain('RABBITMQ_MANAGEMENT_URL is not set');
  });

  it('say how to live without the management API', async () => {
    const problem = await problemOf({ config: { queues: CONFIG.queues } });
    expect(problem).toContain('rabbitmq-plugins enable rabbitmq_management');
    expect(problem).toContain('write "limits: arguments" at the top of WorkQueueModule config');
  });

  it('may bound waiting callers and remembered ids, down to none', async () => {
    const options = { config: CONFIG, maxCallers: 0, recentIds: 0 };
    expect(await resolveSettings(options, {})).toMatchObject({ maxCallers: 0, recentIds: 0 });
  });

  it.each([
    ['maxCallers', -1, 1_000_000],
    ['maxCallers', 1_000_001, 1_000_000],
    ['recentIds', 0.5, 10_000_000],
    ['recentIds', Number.POSITIVE_INFINITY, 10_000_000],
  ])('refuse %s of %p', async (name, value, max) => {
    expect(await problemOf({ config: CONFIG, [name]: value })).toBe(
      `${name}: expected an integer from 0 to ${max}, got: ${value}`,
    );
  });

  it('refuse a message larger than RabbitMQ 4 takes', async () => {
    expect(await problemOf({ config: CONFIG, maxMessageBytes: 16_000_001 })).toContain(
      'maxMessageBytes: expected',
    );
  });
});
