import { describe, expect, it } from '@jest/globals';
import { readdir } from 'node:fs/promises';
import { BatchFailure } from './batch-failure.error.js';
import { DropWork } from './drop-work.error.js';
import { NoWorkersError } from './no-workers.error.js';
import { PermanentFailure } from './permanent-failure.error.js';
import { PublishRefusedError } from './publish-refused.error.js';
import { QueueFullError } from './queue-full.error.js';
import { RetryLater } from './retry-later.error.js';
import { WorkFailedError } from './work-failed.error.js';
import { WorkQueueError } from './work-queue.error.js';

type ConcreteError = new (message: string, details: { queue: string; messageId: string }) => WorkQueueError;

/** Those that are told more than a message. */
const OTHERS = [new BatchFailure(new Map()), new RetryLater(1_000)];

async function everyError(): Promise<WorkQueueError[]> {
  const files = (await readdir(new URL('.', import.meta.url)))
    .filter((file) => file.endsWith('.error.ts'))
    .sort();
  const errors: WorkQueueError[] = [];
  for (const file of files) {
    const exported: object = await import(`./${file.replace(/\.ts$/, '.js')}`);
    const classes = Object.values(exported) as ConcreteError[];
    errors.push(
      ...classes.map(
        (type) =>
          OTHERS.find((error) => error instanceof type) ??
          new type('m', { queue: 'orders', messageId: 'id-1' }),
      ),
    );
  }
  return errors.filter((error) => error.code !== undefined);
}

describe('errors', () => {
  it('have codes that stay as they are', async () => {
    const codes = (await everyError()).map((error) => [error.name, error.code]);
    expect(Object.fromEntries(codes)).toEqual({
      BatchFailure: 'WQ_BATCH_FAILURE',
      BrokerBlockedError: 'WQ_BROKER_BLOCKED',
      BrokerUnavailableError: 'WQ_BROKER_UNAVAILABLE',
      ConfigurationError: 'WQ_CONFIGURATION',
      ConfirmLostError: 'WQ_CONFIRM_LOST',
      ConfirmTimeoutError: 'WQ_CONFIRM_TIMEOUT',
      ConnectError: 'WQ_CONNECT',
      DeadLetterError: 'WQ_DEAD_LETTER',
      DropWork: 'WQ_DROP_WORK',
      HandlerRegistrationError: 'WQ_HANDLER_REGISTRATION',
      IdempotencyConflictError: 'WQ_IDEMPOTENCY_CONFLICT',
      InvalidMessageError: 'WQ_INVALID_MESSAGE',
      ManagementError: 'WQ_MANAGEMENT',
      MessageTooLargeError: 'WQ_MESSAGE_TOO_LARGE',
      NoWorkersError: 'WQ_NO_WORKERS',
      PermanentFailure: 'WQ_PERMANENT_FAILURE',
      PublisherBusyError: 'WQ_PUBLISHER_BUSY',
      QueueFullError: 'WQ_QUEUE_FULL',
      RetryLater: 'WQ_RETRY_LATER',
      TopologyError: 'WQ_TOPOLOGY',
      UnroutableError: 'WQ_UNROUTABLE',
      WorkFailedError: 'WQ_WORK_FAILED',
    });
  });

  it('have reasons that stay as they are when a publish was refused', async () => {
    const refusals = (await everyError()).filter((error) => error instanceof PublishRefusedError);
    expect(Object.fromEntries(refusals.map((error) => [error.name, error.reason]))).toEqual({
      BrokerBlockedError: 'broker-alarm',
      BrokerUnavailableError: 'broker-unavailable',
      ConfirmLostError: 'unknown',
      ConfirmTimeoutError: 'unknown',
      IdempotencyConflictError: 'conflict',
      InvalidMessageError: 'invalid-message',
      MessageTooLargeError: 'too-large',
      NoWorkersError: 'no-workers',
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

  it('let who handles a full queue handle one without workers, too', () => {
    const details = { queue: 'orders', messageId: 'id-1', retryAfterMs: 60_000 };
    const error = new NoWorkersError('full, and nobody works', details);
    expect(error).toBeInstanceOf(QueueFullError);
    expect(error).toMatchObject({ ...details, code: 'WQ_NO_WORKERS', reason: 'no-workers' });
    expect(new QueueFullError('full', details)).not.toBeInstanceOf(NoWorkersError);
  });

  it('tell work that failed from work that was not accepted', () => {
    const details = { queue: 'orders', messageId: 'id-1', deadReason: 'expired' };
    const error = new WorkFailedError('it was dead-lettered', details);
    expect(error).not.toBeInstanceOf(PublishRefusedError);
    expect(error).toMatchObject(details);
  });
});

describe('what a handler throws on purpose', () => {
  const cause = new Error('disk');

  it('is the work that need not be done, and why', () => {
    const error = new DropWork('the order was cancelled', { cause });
    expect(error).toMatchObject({ name: 'DropWork', message: 'the order was cancelled', cause });
    expect(error).not.toBeInstanceOf(PermanentFailure);
  });

  it('is how much later to try again, and why', () => {
    const error = new RetryLater(30_000, 'the bank is closed', { cause });
    expect(error).toMatchObject({ delayMs: 30_000, message: 'the bank is closed', cause });
    expect(new RetryLater(1)).toMatchObject({ delayMs: 1, message: 'the handler asked for a later attempt' });
    expect(new RetryLater(86_400_000)).toMatchObject({ delayMs: 86_400_000 });
  });

  it.each([0, 0.5, -1, 86_400_001, Infinity, Number.NaN])('is not %p ms later', (delayMs) => {
    expect(() => new RetryLater(delayMs)).toThrow(
      new RangeError(`RetryLater: expected a delay of 1 to 86400000 ms, got: ${delayMs}`),
    );
  });

  it('is which items of a batch failed, and why each', () => {
    const failures = new Map([[3, cause]]);
    const error = new BatchFailure(failures, { cause });
    expect(error).toMatchObject({ failures, message: '1 items of the batch failed', cause });
  });
});
