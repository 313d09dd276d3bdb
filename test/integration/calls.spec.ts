import { type INestApplicationContext, Injectable } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import {
  PermanentFailure,
  Telemetry,
  WorkFailedError,
  WorkHandler,
  type WorkQueueRuntime,
} from '@spillway/work-queue';
import { connect } from 'amqplib';
import { Gate } from '../support/journal.js';
import { NestApplications, nextSettled, SMALL } from '../support/nest-applications.js';
import { openPublisher } from '../support/open-publisher.js';
import { until } from '../support/until.js';

const QUEUES = { sums: { ...SMALL, maxLength: 1_000, window: 100, concurrency: 10, maxAttempts: 1 } };
/** Far longer than anything takes here; it is not waited for. */
const PATIENT = { waitMs: 20_000 };

let apps: NestApplications;
let worker: INestApplicationContext;
let callers: WorkQueueRuntime;
let gate: Gate;
/** Connections of the worker that were lost, in order. */
let lost: string[];

@Injectable()
class Sums {
  @WorkHandler('sums')
  async add(@Payload() payload: number[] | string): Promise<{ sum: number }> {
    if (payload === 'slow') await gate.opened;
    if (payload === 'bad') throw new PermanentFailure('these are no numbers');
    return { sum: Array.isArray(payload) ? payload.reduce((sum, number) => sum + number, 0) : 0 };
  }
}

beforeEach(async () => {
  gate = new Gate();
  lost = [];
  apps = await NestApplications.create();
  const imports = [apps.workQueue(QUEUES, { queues: [], name: 'worker' })];
  worker = await apps.start({ imports, providers: [Sums] });
  worker.get(Telemetry).on('connection.lost', ({ connection }) => lost.push(connection));
  callers = await openPublisher(apps.vhost, QUEUES, { slotWaitMs: 20_000 });
});

afterEach(async () => {
  gate.open();
  await callers.close();
  await apps.close();
});

it('each of 100 concurrent calls gets its own result', async () => {
  const numbers = Array.from({ length: 100 }, (_, number) => number);
  const sums = callers.queue('sums');
  const outcomes = await Promise.all(numbers.map((number) => sums.request([number, 1_000], PATIENT)));
  expect(outcomes).toEqual(
    numbers.map((number) => ({
      receipt: { id: expect.any(String), queue: 'sums', mayBeDropped: false },
      isDone: true,
      result: { sum: number + 1_000 },
    })),
  );
});

it('a call whose work fails for good fails, and does not tell what the handler said', async () => {
  const call = callers.queue('sums').request('bad', { ...PATIENT, messageId: 'bad-1' });
  await expect(call).rejects.toThrow(WorkFailedError);
  await expect(call).rejects.toMatchObject({
    message: 'work bad-1 of queue sums was dead-lettered (permanent)',
    deadReason: 'permanent',
    messageId: 'bad-1',
    queue: 'sums',
  });
});

it('a call whose time is up goes without the result, and its work is done all the same', async () => {
  const settled = nextSettled(worker, 'sums');
  const outcome = await callers.queue('sums').request('slow', { waitMs: 50, messageId: 'slow-1' });
  expect(outcome).toEqual({
    receipt: { id: 'slow-1', queue: 'sums', mayBeDropped: false },
    isDone: false,
    because: 'time-is-up',
  });
  gate.open();
  await expect(settled).resolves.toMatchObject({ messageId: 'slow-1', end: 'succeeded' });
});

it('a caller that goes away stops its wait and not its work', async () => {
  const settled = nextSettled(worker, 'sums');
  const call = callers.queue('sums').request('slow', { ...PATIENT, signal: AbortSignal.timeout(50) });
  await expect(call).resolves.toMatchObject({ isDone: false, because: 'caller-gone' });
  gate.open();
  await expect(settled).resolves.toMatchObject({ end: 'succeeded' });
});

describe('a forged reply address', () => {
  async function forge(times: number): Promise<void> {
    const connection = await connect(apps.vhost.url);
    try {
      const channel = await connection.createConfirmChannel();
      const address = { replyTo: 'amq.rabbitmq.reply-to.forged.key', correlationId: 'forged' };
      for (let time = 0; time < times; time++) channel.sendToQueue('sums', Buffer.from('[1,2]'), address);
      await channel.waitForConfirms();
    } finally {
      await connection.close();
    }
  }

  /** A reply that was under way with a forged one is lost with the connection: calls until one has its result. */
  const answered = (): Promise<void> =>
    until(async () => {
      const outcome = await callers.queue('sums').request([2, 3], { waitMs: 500 });
      return outcome.isDone ? undefined : outcome.because;
    }, 20_000);

  it('costs at most the connection for replies, and later calls get their results', async () => {
    const sums = callers.queue('sums');
    // Now the worker has its connection for replies.
    await sums.request([1], PATIENT);
    const settled = nextSettled(worker, 'sums');
    await forge(1);
    await expect(settled).resolves.toMatchObject({ end: 'succeeded' });
    await answered();
    await forge(20);
    await answered();
    expect(lost.filter((connection) => connection !== 'worker reply')).toEqual([]);
    await expect(sums.request('bad', PATIENT)).rejects.toThrow(WorkFailedError);
  });
});
