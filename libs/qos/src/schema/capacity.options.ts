import { MS_PER_HOUR } from '../duration.js';
import { duration, integer, number, rate as rateKind } from './kind.js';
import type { OptionDeclaration } from './option.js';

const DEFAULT_PREFETCH = 10;

/** The largest prefetch that `basic.qos` can carry. */
const MAX_PREFETCH = 65_535;

const MAX_WORKERS = 10_000;

/** From cv 8 on the 99th percentile of a gamma distribution falls again; long before, a mean says nothing. */
const MAX_CV = 5;

export const maxLatency: OptionDeclaration<number> = {
  name: 'maxLatency',
  kind: duration({ min: 1, max: 24 * MS_PER_HOUR }),
  live: true,
  whenAbsent: { refuse: 'required unless maxLength is set', unless: 'maxLength' },
  doc: [
    'The promise: 99 of 100 accepted jobs are done within this time, waiting and own service time together.',
    'The length of the queue follows from it.',
    'It must be longer than what 99 of 100 jobs need for themselves.',
  ],
  tooLow: 'the queue is so short that it refuses bursts the workers could have absorbed.',
  tooHigh: 'past saturation a longer queue adds waiting, never throughput, and overload is noticed later.',
};

export const serviceTime: OptionDeclaration<number> = {
  name: 'serviceTime',
  kind: duration({ min: 0.1, max: MS_PER_HOUR }),
  live: true,
  whenAbsent: { refuse: 'required unless maxLength is set', unless: 'maxLength' },
  doc: [
    'How long one job takes on average, from the call of the handler to its end.',
    'Measure completed jobs only: fast failures would make it look shorter.',
  ],
  tooLow: 'the queue is sized too long and the promised latency is broken under load.',
  tooHigh: 'the queue is sized too short and refuses work that would have been in time.',
};

export const serviceTimeCv: OptionDeclaration<number> = {
  name: 'serviceTimeCv',
  kind: number({ min: 0, max: MAX_CV }),
  live: true,
  whenAbsent: { use: 1 },
  doc: [
    'How much the service time varies: standard deviation / mean.',
    '0 is a constant time, 1 an exponential distribution, 2 a few very long jobs among many short ones.',
  ],
  tooLow: 'the slow tail breaks the promised latency.',
  tooHigh: 'the queue is shorter than it needs to be.',
};

export const workers: OptionDeclaration<number> = {
  name: 'workers',
  kind: integer({ min: 1, max: MAX_WORKERS }),
  unit: 'processes',
  live: true,
  whenAbsent: { use: 1 },
  doc: ['Worker processes that consume this queue.'],
  tooLow: 'the queue is sized for fewer handlers than there are, and refuses too early.',
  tooHigh: 'the queue is sized for handlers that do not exist, and the promised latency is broken.',
};

export const concurrency: OptionDeclaration<number> = {
  name: 'concurrency',
  kind: integer({ min: 1, max: MAX_PREFETCH }),
  unit: 'handlers',
  live: true,
  whenAbsent: {
    rule: `the same as \`prefetch\`; ${DEFAULT_PREFETCH} if neither is given`,
    derive: (draft) => draft.prefetch ?? DEFAULT_PREFETCH,
  },
  doc: [
    'Handlers that run at the same time in one worker.',
    'All workers together are the load that the database behind them sees: choose it by what that can bear.',
  ],
  tooLow: 'the downstream idles while work waits.',
  tooHigh: 'the downstream is overloaded and every job becomes slower.',
};

export const prefetch: OptionDeclaration<number> = {
  name: 'prefetch',
  kind: integer({ min: 1, max: MAX_PREFETCH }),
  unit: 'messages',
  live: true,
  whenAbsent: {
    rule: `the same as \`concurrency\`; ${DEFAULT_PREFETCH} if neither is given`,
    derive: (draft) => draft.concurrency ?? DEFAULT_PREFETCH,
  },
  doc: [
    'Messages the broker hands to one worker before it has settled any.',
    'At least `concurrency`; 0 would mean no limit and is refused.',
  ],
  tooLow: 'handlers wait for the next message to travel from the broker.',
  tooHigh:
    'messages wait in the memory of one worker while another idles, and the queue is sized shorter by as many.',
};

export const fleetConcurrency: OptionDeclaration<number> = {
  name: 'fleetConcurrency',
  kind: integer({ min: 1, max: MAX_WORKERS * MAX_PREFETCH }),
  unit: 'handlers',
  live: true,
  onlyLive: true,
  whenAbsent: { rule: 'no bound but `workers` x `concurrency`', derive: () => undefined },
  doc: [
    'Handlers that run at the same time over all workers of the queue, divided among those alive.',
    'For a downstream that bears only so many, however many workers there are.',
    'The queue is sized for the smaller of this and `workers` x `concurrency`.',
  ],
  tooLow:
    'the downstream idles while work waits, and what is prefetched beyond it waits in the memory of the workers: ' +
    'lower `prefetch` with it.',
  tooHigh: 'the downstream is overloaded as soon as more workers run, and every job becomes slower.',
};

export const rate: OptionDeclaration<number> = {
  name: 'rate',
  kind: rateKind(),
  live: true,
  whenAbsent: { rule: 'no limit', derive: () => undefined },
  doc: [
    'Jobs that one worker starts per second, minute or hour, for a downstream that allows only so many.',
    'They are spread evenly: a tenth of a second’s worth may start at once, and always one.',
    'All workers together start `workers` times as many.',
    'Retries count like first attempts.',
  ],
  tooLow:
    'below what the handlers could do, accepted work waits longer than promised: the queue is sized for the handlers. ' +
    'Set `maxLength` to what the rate gets done in time.',
  tooHigh: 'the downstream refuses calls, and jobs use up their attempts on that.',
};
