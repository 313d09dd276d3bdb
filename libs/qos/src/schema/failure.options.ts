import { MS_PER_HOUR } from '../duration.js';
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
  ],
  tooLow: 'a short outage of the downstream fills the dead-letter queue.',
  tooHigh: 'a job that can never succeed takes handlers away from those that can.',
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

export const initial: OptionDeclaration<number> = {
  name: 'initial',
  kind: duration({ min: 1, max: 24 * MS_PER_HOUR }),
  whenAbsent: { use: '1s' },
  doc: [
    'Wait before the second attempt.',
    'Half of every wait is random, so that jobs that failed together do not return together.',
  ],
  tooLow: 'the retries hit a downstream that had no time to recover.',
  tooHigh: 'a moment of bad luck costs the job seconds.',
};

export const max: OptionDeclaration<number> = {
  name: 'max',
  kind: duration({ min: 1, max: 24 * MS_PER_HOUR }),
  whenAbsent: { use: '30s' },
  doc: ['Longest wait between two attempts.', 'At least `backoff.initial`.'],
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
