import fc from 'fast-check';
import type { BatchOptions } from '../../libs/work-queue/src/execute/work-handler.js';
import { ALONE, type CopyAnswer, DUE, type Job, QUEUE } from './strict-work.js';

export interface StoryMessage {
  readonly queue: string;
  readonly body: string;
  readonly hasId: boolean;
  readonly wasElsewhere: boolean;
  readonly attempts: number;
  readonly starts: number;
}

export type StoryStep =
  | { readonly does: 'publish'; readonly messages: readonly StoryMessage[] }
  | { readonly does: 'pass'; readonly ms: number }
  | { readonly does: 'resize'; readonly concurrency: number; readonly spare: number; readonly rate: string }
  | { readonly does: 'pause' | 'resume' | 'lose connection' | 'come back' }
  | { readonly does: 'end channel' | 'cancel by broker'; readonly queue: string }
  | { readonly does: 'fail opens'; readonly count: number }
  | { readonly does: 'read waiting'; readonly waiting: number | undefined };

/** What happens to one worker, from its start to its end. */
export interface Story {
  readonly concurrency: number;
  readonly batch: BatchOptions | undefined;
  readonly breakAfter: number;
  readonly answers: readonly CopyAnswer[];
  readonly cancelsTakeMs: readonly number[];
  readonly steps: readonly StoryStep[];
  /** At the end all is made well again, and what there is has to be worked off. */
  readonly endsCalm: boolean;
  readonly drainMs: number;
  readonly losesConnectionInDrain: boolean;
}

/** The largest batch; every prefetch of a story can fill it. */
const BATCH = 3;

function mostly<T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: rare });
}

const job: fc.Arbitrary<Job> = fc.record({
  kind: mostly(
    fc.constantFrom('succeed', 'throw'),
    fc.constantFrom('permanent', 'retry-later', 'drop', 'until-aborted', 'hang'),
  ),
  ms: mostly(fc.nat(300), fc.constant(0)),
});

const message: fc.Arbitrary<StoryMessage> = fc.record({
  queue: mostly(fc.constant(QUEUE), fc.constantFrom(DUE, ALONE)),
  body: mostly(
    job.map((each) => JSON.stringify(each)),
    fc.constant('{'),
  ),
  hasId: mostly(fc.constant(true), fc.constant(false)),
  wasElsewhere: mostly(fc.constant(false), fc.constant(true)),
  attempts: fc.nat(2),
  starts: mostly(fc.constant(0), fc.integer({ min: 1, max: 3 })),
});

const queue = fc.constantFrom(QUEUE, DUE, ALONE);

const step: fc.Arbitrary<StoryStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('publish'),
      messages: fc.array(message, { minLength: 1, maxLength: 8 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('pass'), ms: fc.integer({ min: 1, max: 600 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('resize'),
      concurrency: fc.integer({ min: 1, max: 4 }),
      spare: fc.nat(3),
      rate: fc.constantFrom('3/s', '50/s', 'none'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom('pause', 'resume', 'resume', 'lose connection', 'come back', 'come back'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('end channel', 'cancel by broker'), queue }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('fail opens'), count: fc.nat(3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('read waiting'),
      waiting: fc.constantFrom(0, 100, undefined),
    }),
  },
);

const answer: fc.Arbitrary<CopyAnswer> = fc.record({
  end: mostly(fc.constant('stored'), fc.constantFrom('unavailable', 'uncarriable')),
  // Some are never answered, and given up after five seconds.
  ms: mostly(fc.nat(200), fc.constant(5_000)),
});

export const stories: fc.Arbitrary<Story> = fc.record({
  concurrency: fc.integer({ min: 1, max: 4 }),
  batch: mostly(
    fc.constant(undefined),
    fc.record({ size: fc.integer({ min: 2, max: BATCH }), maxWaitMs: fc.nat(100) }),
  ),
  breakAfter: fc.constantFrom(0, 1, 3),
  answers: fc.array(answer, { maxLength: 8 }),
  cancelsTakeMs: fc.array(mostly(fc.nat(30), fc.constant(4_000)), { minLength: 1, maxLength: 3 }),
  steps: fc.array(step, { maxLength: 40, size: 'max' }),
  endsCalm: fc.boolean(),
  drainMs: fc.constantFrom(0, 300, 10_000),
  losesConnectionInDrain: mostly(fc.constant(false), fc.constant(true)),
});

/** The smallest prefetch that a story may have. */
export function prefetchOf(concurrency: number, spare: number): number {
  return Math.max(concurrency, BATCH) + spare;
}
