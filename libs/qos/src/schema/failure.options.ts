import { MS_PER_HOUR, formatDuration } from '../duration.js';
import { WAIT_STEPS_MS } from '../wait-ladder.js';
import { duration, integer, number } from './kind.js';
import type { OptionDeclaration } from './option.js';

export const maxAttempts: OptionDeclaration<number> = {
  name: 'maxAttempts',
  kind: integer({ min: 1, max: 1_000 }),
  unit: 'attempts',
  whenAbsent: { use: 5 },
  doc: [
    'How often a job is tried before it goes to the dead-letter queue.',
    'The first attempt counts: 1 means no retry.',
    'Between two attempts the message waits on the broker and keeps no handler busy.',
  ],
  tooLow: 'a short outage of the downstream fills the dead-letter queue.',
  tooHigh: 'a job that can never succeed is run again and again, and it takes long until anybody sees it.',
};

export const timeout: OptionDeclaration<number> = {
  name: 'timeout',
  kind: duration({ min: 1, max: 24 * MS_PER_HOUR }),
  whenAbsent: { use: '30s' },
  doc: [
    'How long one attempt may take before its signal is aborted and it counts as failed.',
    'At least `serviceTime`.',
  ],
  tooLow: 'slow but healthy jobs fail, are tried again, and add to the load.',
  tooHigh:
    'a hanging job keeps its handler, and after 30 minutes RabbitMQ by default takes the consumer away.',
};

export const timeoutGrace: OptionDeclaration<number> = {
  name: 'timeoutGrace',
  kind: duration({ min: 1, max: 24 * MS_PER_HOUR }),
  whenAbsent: { use: '30s' },
  doc: [
    'How long a handler may go on after its `timeout` has aborted its signal.',
    'Nothing can stop running JavaScript, so until it ends it keeps its place.',
    'Past this time the worker counts as stuck: its health goes red, and a process run by `runApplication` exits.',
  ],
  tooLow: 'one handler that needs a moment to clean up ends the process and interrupts the jobs beside it.',
  tooHigh:
    'handlers that ignore their signal keep their places that long, until none is left and nothing runs.',
};

export const breakAfter: OptionDeclaration<number> = {
  name: 'breakAfter',
  kind: integer({ min: 0, max: 10_000 }),
  unit: 'failures',
  live: true,
  whenAbsent: { use: 10 },
  doc: [
    'Different messages that must fail one after another, without a success between, until the breaker of their handler opens.',
    'While it is open, one job at a time is tried, with pauses, and a failure uses up no attempt; the first success closes it.',
    'A queue that holds nothing but jobs that cannot succeed therefore stays at one at a time until one does.',
    '0: it never opens.',
  ],
  tooLow: 'a few bad messages in a row slow the worker down.',
  tooHigh:
    'an outage of the downstream uses up an attempt of that many messages at a time, and dead-letters them in the end.',
};

export const initial: OptionDeclaration<number> = {
  name: 'initial',
  kind: duration({ min: 1, max: 24 * MS_PER_HOUR }),
  whenAbsent: { use: '1s' },
  doc: [
    'Wait before the second attempt.',
    'Half of every wait is random.',
    `Then it is rounded up to one of these, each of which is a queue: ${WAIT_STEPS_MS.map(formatDuration).join(', ')}.`,
    'So jobs that failed together come back after one or the other of at most two waits.',
  ],
  tooLow: 'the retries hit a downstream that had no time to recover.',
  tooHigh: 'a moment of bad luck costs the job seconds.',
};

export const max: OptionDeclaration<number> = {
  name: 'max',
  kind: duration({ min: 1, max: 24 * MS_PER_HOUR }),
  whenAbsent: { use: '30s' },
  doc: [
    'Longest wait between two attempts, before it is rounded up like every wait.',
    'At least `backoff.initial`.',
  ],
  tooLow: 'a long outage uses up the attempts before it ends.',
  tooHigh: 'jobs still wait long after the downstream is back.',
};

export const multiplier: OptionDeclaration<number> = {
  name: 'multiplier',
  kind: number({ min: 1, max: 10 }),
  whenAbsent: { use: 2 },
  doc: ['How many times longer each wait is than the one before.', '1 keeps it constant.'],
  tooLow: 'the pressure on a failing downstream does not fall.',
  tooHigh: 'the second or third wait is already `backoff.max`.',
};
