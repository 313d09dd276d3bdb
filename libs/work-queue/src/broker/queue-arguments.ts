import type { QueueArguments } from './broker.port.js';
import { deadLetterBound, UNREACHED_DELIVERY_LIMIT } from './policy.js';
import { deadLetterQueueOf, dueQueueOf, type QueueTarget } from './queue-target.js';

/** A queue as the management API shows it. */
export interface QueueDescription {
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly exclusive: boolean;
  readonly arguments: Readonly<Record<string, unknown>>;
}

export interface Difference {
  readonly setting: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/**
 * Only what cannot be a policy. `x-overflow` belongs here although a policy could carry it: a first policy on a
 * classic queue without it drops the oldest confirmed messages, because max-length is applied before overflow.
 */
export function argumentsUnderPolicy(target: QueueTarget): QueueArguments {
  return {
    'x-queue-type': target.type,
    'x-overflow': target.overflow,
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': deadLetterQueueOf(target.name),
  };
}

/** For a broker without a management API: the limit is part of the queue and stays for its life. */
export function argumentsWithLimit(target: QueueTarget): QueueArguments {
  const bounded = { ...argumentsUnderPolicy(target), 'x-max-length': target.maxLength };
  return target.type === 'quorum' ? { ...bounded, 'x-delivery-limit': UNREACHED_DELIVERY_LIMIT } : bounded;
}

/** Without a limit of its own 4.x discards a dead letter that was looked at and given back 20 times. */
export function deadLetterArguments(): QueueArguments {
  return { 'x-queue-type': 'quorum', 'x-delivery-limit': UNREACHED_DELIVERY_LIMIT };
}

export function deadLetterArgumentsWithLimit(target: QueueTarget): QueueArguments {
  if (target.overflow !== 'drop-head') return deadLetterArguments();
  return { ...deadLetterArguments(), 'x-max-length': deadLetterBound(target), 'x-overflow': 'drop-head' };
}

/** Unbounded: what was accepted once is never refused, nor dropped. */
export function dueArguments(queue: string): QueueArguments {
  return {
    ...deadLetterArguments(),
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': deadLetterQueueOf(queue),
  };
}

/**
 * One time to live for all in it, since only the head of a queue expires. At least once needs the overflow beside
 * it, and keeps what is due while the due queue is missing. Nothing expires the queue itself.
 * @param stepMs a whole number, 1 or more
 */
export function waitArguments(queue: string, stepMs: number): QueueArguments {
  return {
    ...deadLetterArguments(),
    'x-message-ttl': stepMs,
    'x-overflow': 'reject-publish',
    'x-dead-letter-exchange': '',
    'x-dead-letter-routing-key': dueQueueOf(queue),
    'x-dead-letter-strategy': 'at-least-once',
  };
}

/** What a queue is to be; `refused` are arguments it must not have, unless they are among its own. */
export interface WantedQueue {
  readonly queueArguments: QueueArguments;
  readonly refused: readonly string[];
}

export function workQueueUnderPolicy(target: QueueTarget): WantedQueue {
  return {
    queueArguments: argumentsUnderPolicy(target),
    // The smaller of argument and policy wins, so the limit could never be raised above it; and an expiry would
    // delete the queue, and accepted work with it, when no worker runs for a while.
    refused: ['x-max-length', 'x-expires'],
  };
}

/** What makes the queue on the broker another one than the wanted: with any of it, using it as that is not safe. */
export function differences(found: QueueDescription, wanted: WantedQueue): Difference[] {
  const { 'x-queue-type': type, ...own } = wanted.queueArguments;
  const refused = wanted.refused.filter((key) => !(key in own));
  const compared: Difference[] = [
    { setting: 'type', expected: type, found: found.type },
    { setting: 'durable', expected: true, found: found.durable },
    { setting: 'auto-delete', expected: false, found: found.autoDelete },
    { setting: 'exclusive', expected: false, found: found.exclusive },
    ...Object.entries(own).map(([key, value]) => ({
      setting: key,
      expected: value,
      found: found.arguments[key],
    })),
    ...refused.map((key) => ({ setting: key, expected: undefined, found: found.arguments[key] })),
  ];
  return compared.filter((difference) => difference.expected !== difference.found);
}
