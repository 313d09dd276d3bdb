import { ownValue } from '../schema/kind.js';
import { isInForce, type Overrides, type QueueOverrides } from './override.js';

interface ChangeOfQueue {
  readonly queue: string;
  readonly author: string;
  readonly reason: string;
  /** When it is made, milliseconds since the epoch. */
  readonly atMs: number;
}

/** What an operator does to the overrides of one queue, all of it at once; JSON as it stands. */
export type Change = SetOptions | ClearOptions | ResetQueue;

/** Overrides options, each in place of an override it may have already. */
export interface SetOptions extends ChangeOfQueue {
  readonly kind: 'set';
  /** By the name of the option in a QoS file, as they would stand there. */
  readonly values: Readonly<Record<string, unknown>>;
  /** When they end, milliseconds since the epoch; not after `atMs` is as good as nothing set. @default never */
  readonly untilMs?: number;
}

/** Takes overrides away, so that the file's values hold again; without an override, nothing happens. */
export interface ClearOptions extends ChangeOfQueue {
  readonly kind: 'clear';
  readonly options: readonly string[];
}

/** Takes all overrides of the queue away. */
export interface ResetQueue extends ChangeOfQueue {
  readonly kind: 'reset';
}

/** All overrides after the change; those that have ended by then, of any queue, are gone. */
export function changed(overrides: Overrides, change: Change): Overrides {
  const before = ownValue(overrides, change.queue) ?? {};
  return withoutEnded({ ...overrides, [change.queue]: changedQueue(before, change) }, change.atMs);
}

function changedQueue(before: QueueOverrides, change: Change): QueueOverrides {
  switch (change.kind) {
    case 'set':
      return { ...before, ...overridesOf(change) };
    case 'clear':
      return pick(before, (option) => !change.options.includes(option));
    case 'reset':
      return {};
  }
}

function overridesOf({ values, author, reason, atMs, untilMs }: SetOptions): QueueOverrides {
  const end = untilMs === undefined ? {} : { untilMs };
  const overrides = Object.entries(values).map(([option, value]) => [
    option,
    { value, author, reason, atMs, ...end },
  ]);
  return Object.fromEntries(overrides);
}

function withoutEnded(overrides: Overrides, nowMs: number): Overrides {
  const left = Object.entries(overrides).map(([queue, options]): [string, QueueOverrides] => [
    queue,
    pick(options, (_, override) => isInForce(override, nowMs)),
  ]);
  return Object.fromEntries(left.filter(([, options]) => Object.keys(options).length > 0));
}

function pick<T>(
  record: Readonly<Record<string, T>>,
  isKept: (key: string, value: T) => boolean,
): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).filter(([key, value]) => isKept(key, value)));
}
