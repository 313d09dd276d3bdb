import { describe, expect, it } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { PermanentFailure } from './permanent-failure.error.js';
import { PublishRefusedError } from './publish-refused.error.js';
import { QueueFullError } from './queue-full.error.js';
import { WorkQueueError } from './work-queue.error.js';

type ConcreteError = new (message: string, details: { queue: string; messageId: string }) => WorkQueueError;

async function everyError(): Promise<WorkQueueError[]> {
  const files = (await readdir(new URL('.', import.meta.url)))
    .filter((file) => file.endsWith('.error.ts'))
    .sort();
  const errors: WorkQueueError[] = [];
  for (const file of files) {
    const exported: object = await import(`./${file.replace(/\.ts$/, '.js')}`);
    const classes = Object.values(exported) as ConcreteError[];
    errors.push(...classes.map((type) => new type('m', { queue: 'orders', messageId: 'id-1' })));
  }
  return errors.filter((error) => error.code !== undefined);
}

describe('errors', () => {
  it('have codes that stay as they are', async () => {
    const codes = (await everyError()).map((error) => [error.name, error.code]);
    expect(Object.fromEntries(codes)).toEqual({
      BrokerBlockedError: 'WQ_BROKER_BLOCKED',
      BrokerUnavailableError: 'WQ_BROKER_UNAVAILABLE',
      ConfigurationError: 'WQ_CONFIGURATION',
      ConfirmLostError: 'WQ_CONFIRM_LOST',
      ConfirmTimeoutError: 'WQ_CONFIRM_TIMEOUT',
      ConnectError: 'WQ_CONNECT',
      HandlerRegistrationError: 'WQ_HANDLER_REGISTRATION',
      ManagementError: 'WQ_MANAGEMENT',
      MessageTooLargeError: 'WQ_MESSAGE_TOO_LARGE',
      PermanentFailure: 'WQ_PERMANENT_FAILURE',
      PublisherBusyError: 'WQ_PUBLISHER_BUSY',
      QueueFullError: 'WQ_QUEUE_FULL',
      TopologyError: 'WQ_TOPOLOGY',
      UnroutableError: 'WQ_UNROUTABLE',
    });
  });

  it('have reasons that stay as they are when a publish was refused', async () => {
    const refusals = (await everyError()).filter((error) => error instanceof PublishRefusedError);
    expect(Object.fromEntries(refusals.map((error) => [error.name, error.reason]))).toEqual({
      BrokerBlockedError: 'broker-alarm',
      BrokerUnavailableError: 'broker-unavailable',
      ConfirmLostError: 'unknown',
      ConfirmTimeoutError: 'unknown',
      MessageTooLargeError: 'too-large',
      PublisherBusyError: 'gateway-busy',
      QueueFullError: 'queue-full',
      UnroutableError: 'unroutable',
    });
  });

  it('share one root and are errors', async () => {
    for (const error of await everyError()) {
      expect(error).toBeInstanceOf(WorkQueueError);
      expect(error).toBeInstanceOf(Error);
    }
  });

  it('keep their cause, and have none when there was none', () => {
    const cause = new Error('disk');
    expect(new PermanentFailure('no', { cause }).cause).toBe(cause);
    expect(new PermanentFailure('no')).not.toHaveProperty('cause');
  });

  it('carry what a caller branches on', () => {
    const error = new QueueFullError('full', { queue: 'orders', messageId: 'id-1', retryAfterMs: 1_500 });
    expect(error).toMatchObject({ message: 'full', queue: 'orders', messageId: 'id-1', retryAfterMs: 1_500 });
  });
});
