import { inspect, isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type QueueQos, resolveQueueQos } from '@spillway/qos';
import fc from 'fast-check';
import { fakeableTimers, settled } from '../../../test/support/fake-broker.js';
import { StrictBroker } from '../../../test/support/strict-broker.js';
import { prefetchOf, stories, type Story, type StoryStep } from '../../../test/support/strict-stories.js';
import { QUEUE, StrictWork } from '../../../test/support/strict-work.js';
import type { MountedHandler } from './execute/work-handler.js';
import { jsonCodec } from './message/json.codec.js';
import { Telemetry } from './telemetry/telemetry.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { ConsumePipeline } = await import('./consume-pipeline.js');

const STEP_MS = 10;
const CALM_STEP_MS = 50;
/** Past the deadline of a drain. */
const ABANDON_GRACE_MS = 1_000;
/** Longer than any job, copy or cancel takes. */
const ALL_ENDS_MS = 60_000;
const CALM_WITHIN_MS = 900_000;

/** One worker between a strict broker and a strict handler. */
class Run {
  readonly broker = new StrictBroker();
  private readonly pipeline = new ConsumePipeline(this.broker, new Telemetry(), async () => undefined);
  private readonly work: StrictWork;
  private waiting: number | undefined = 0;
  private published = 0;

  constructor(private readonly story: Story) {
    this.work = new StrictWork(this.broker, story.concurrency);
    this.work.answers = story.answers;
    this.broker.cancelsTakeMs = story.cancelsTakeMs;
  }

  async play(): Promise<void> {
    await this.start();
    for (const step of this.story.steps) await this.take(step);
    if (this.story.endsCalm) await this.calmDown();
    await this.drain();
    this.look();
  }

  private async start(): Promise<void> {
    const { concurrency, batch } = this.story;
    const handler: MountedHandler = {
      queue: QUEUE,
      label: 'Orders.take',
      payloadType: undefined,
      prefetch: prefetchOf(concurrency, 1),
      concurrency,
      batch,
      invoke: this.work.invoke,
    };
    const qos = qosOf(this.story);
    await this.pipeline.start(handler, {
      qos,
      codec: jsonCodec,
      bounds: this.pipeline.reserve(handler, qos),
      copies: this.work.store,
      readWaiting: async () => this.waiting,
      publishReply: async () => undefined,
    });
  }

  private async take(step: StoryStep): Promise<void> {
    const { broker } = this;
    const consumer = this.pipeline.consumer(QUEUE);
    switch (step.does) {
      case 'publish':
        this.publish(step);
        break;
      case 'pass':
        await this.pass(step.ms);
        break;
      case 'resize': {
        const { concurrency, spare, rate } = step;
        this.work.resized(concurrency);
        void consumer.resize({ concurrency, prefetch: prefetchOf(concurrency, spare), rate });
        break;
      }
      case 'pause':
        void consumer.pause();
        break;
      case 'resume':
        void consumer.resume();
        break;
      case 'lose connection':
        broker.lose();
        break;
      case 'come back':
        broker.comeBack();
        break;
      case 'end channel':
        for (const channel of broker.channels)
          if (channel.consumes(step.queue)) channel.end('closed by the broker');
        break;
      case 'cancel by broker':
        for (const channel of broker.channels) if (channel.consumes(step.queue)) channel.cancelByBroker();
        break;
      case 'fail opens':
        broker.failingOpens = step.count;
        break;
      case 'read waiting':
        this.waiting = step.waiting;
    }
    await this.pass(STEP_MS);
  }

  private publish({ messages }: Extract<StoryStep, { does: 'publish' }>): void {
    for (const { hasId, attempts, starts, wasElsewhere, ...message } of messages) {
      const messageId = hasId ? `id-${++this.published}` : undefined;
      const headers = { ...(attempts && { 'x-attempts': attempts }), ...(starts && { 'x-starts': starts }) };
      this.broker.publish({ ...message, messageId, headers, wasElsewhere, isRedelivered: wasElsewhere });
    }
  }

  private async calmDown(): Promise<void> {
    const { broker, pipeline } = this;
    broker.comeBack();
    broker.failingOpens = 0;
    broker.cancelsTakeMs = [0];
    this.work.answers = [];
    this.waiting = 0;
    const consumer = pipeline.consumer(QUEUE);
    void consumer.resume();
    void consumer.resize({ rate: 'none' });
    const calm = { left: '', problems: [], running: 0, waiting: 0 };
    const now = (): unknown => {
      const { running, waiting } = consumer.state;
      return { left: broker.left, problems: pipeline.problems, running, waiting };
    };
    const isCalm = (): boolean => isDeepStrictEqual(now(), calm);
    await this.passUntil(isCalm, { withinMs: CALM_WITHIN_MS, stepMs: CALM_STEP_MS });
    must(isCalm(), `did not calm down: ${inspect(now())}`);
  }

  private async drain(): Promise<void> {
    const { broker, work } = this;
    const { drainMs, losesConnectionInDrain } = this.story;
    const beganAtMs = broker.nowMs;
    const openChannels = broker.channels.filter(({ isOpen }) => isOpen);
    let isDrained = false;
    work.isDraining = true;
    void this.pipeline.drain(drainMs).then(() => (isDrained = true));
    if (losesConnectionInDrain) broker.in(drainMs / 2, () => broker.lose());
    const withinMs = drainMs + ABANDON_GRACE_MS + 2 * STEP_MS;
    await this.passUntil(() => isDrained, { withinMs, stepMs: STEP_MS });
    must(isDrained, `did not drain within ${withinMs} ms`);
    must(!broker.channels.some(({ isOpen }) => isOpen), 'a channel is open after the drain');
    const isInTime = broker.nowMs - beganAtMs < drainMs && !losesConnectionInDrain;
    const abandoned = openChannels.filter((channel) => channel.abandoned > 0);
    must(!isInTime || abandoned.length === 0, 'drained in time and left deliveries unsettled');
    // What was abandoned ends some time, and must find nothing to settle, start or wait for.
    broker.pass(ALL_ENDS_MS);
    await settled();
    broker.pass(ALL_ENDS_MS);
    await settled();
    must(jest.getTimerCount() === 0, `${jest.getTimerCount()} timers are left after the drain`);
  }

  private async passUntil(
    isOver: () => boolean,
    { withinMs, stepMs }: { readonly withinMs: number; readonly stepMs: number },
  ): Promise<void> {
    for (let left = withinMs; left > 0 && !isOver(); left -= stepMs) await this.passOnce(stepMs);
  }

  private async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) await this.passOnce(Math.min(left, STEP_MS));
  }

  private async passOnce(ms: number): Promise<void> {
    await settled();
    this.work.look();
    this.broker.pass(ms);
    await settled();
    this.broker.deliver();
    await settled();
    jest.advanceTimersByTime(ms);
    await settled();
    this.look();
  }

  private look(): void {
    const { violations } = this.broker;
    must(violations.length === 0, violations.join('\n'));
  }
}

function must(isSo: boolean, otherwise: string): void {
  if (!isSo) throw new Error(otherwise);
}

function qosOf({ breakAfter }: Story): QueueQos {
  const resolved = resolveQueueQos(QUEUE, {
    maxLength: 100,
    maxAttempts: 2,
    maxWaiting: 5,
    timeout: '1s',
    timeoutGrace: '1s',
    breakAfter,
  });
  if (!resolved.ok) throw new Error(resolved.problems.map(({ message }) => message).join());
  return resolved.qos;
}

beforeAll(() => {
  jest.useFakeTimers();
});

afterAll(() => {
  jest.useRealTimers();
});

it('whatever happens, each delivery is settled at most once, and when its work is safe', async () => {
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      try {
        await expect(new Run(story).play()).resolves.toBeUndefined();
      } finally {
        jest.clearAllTimers();
      }
    }),
    { numRuns: 100 },
  );
});
