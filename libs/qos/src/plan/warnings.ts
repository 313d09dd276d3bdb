import { count, rounded } from '../arithmetic.js';
import { formatDuration } from '../duration.js';
import { reopenLength } from '../limit.js';
import type { QueueQos } from '../schema/queue-qos.js';
import { handlerCount } from '../sizing.js';
import { consequencesOf } from './consequences.js';

/**
 * | code | the change |
 * | --- | --- |
 * | `breaks-latency` | lets a full queue break `maxLatency`, or break it by more |
 * | `shuts-gate` | sets a limit that the queue already exceeds: gateways refuse until it has drained |
 * | `drops-oldest` | sets a limit that a `drop-head` queue already exceeds: the oldest messages are dropped at once |
 * | `beyond-fleet` | offers more handlers than `fleetConcurrency` lets run, or takes that bound away |
 * | `beyond-budget` | lets more handlers run than `maxInFlight` |
 * | `refuses-all` | pauses with `refuse` |
 */
export type WarningCode =
  'breaks-latency' | 'shuts-gate' | 'drops-oldest' | 'beyond-fleet' | 'beyond-budget' | 'refuses-all';

export interface Warning {
  readonly code: WarningCode;
  /** A sentence with the numbers in it. */
  readonly message: string;
}

export interface ChangeInput {
  readonly before: QueueQos;
  readonly after: QueueQos;
  /** Ready messages now. @default not known: nothing is said of the messages that are there */
  readonly ready?: number | undefined;
  /** What the downstream bears, in handlers at once over all workers. @default not known */
  readonly maxInFlight?: number | undefined;
}

/** What an operator should know before a change is made. Silent on what was so before and gets no worse. */
export function warningsOf(change: ChangeInput): Warning[] {
  return [breaksLatency, exceedsLimit, beyondFleet, beyondBudget, refusesAll].flatMap(
    (warn) => warn(change) ?? [],
  );
}

function breaksLatency({ before, after }: ChangeInput): Warning | undefined {
  const { fullSojournP99Ms: sojournMs, isPromiseKept } = consequencesOf(after);
  if (isPromiseKept !== false || sojournMs === undefined || after.maxLatencyMs === undefined)
    return undefined;
  if (sojournMs - after.maxLatencyMs <= excessMs(before)) return undefined;
  const took = `in a full queue 99 of 100 jobs are done within ${rounded(sojournMs)} ms`;
  const message = `${took}, longer than maxLatency ${formatDuration(after.maxLatencyMs)}`;
  return { code: 'breaks-latency', message };
}

/** How far a full queue is beyond its promise already; 0 if it is not, or nobody knows. */
function excessMs(qos: QueueQos): number {
  const { fullSojournP99Ms, isPromiseKept } = consequencesOf(qos);
  if (isPromiseKept !== false || fullSojournP99Ms === undefined) return 0;
  return fullSojournP99Ms - (qos.maxLatencyMs ?? Infinity);
}

function exceedsLimit({ before, after, ready }: ChangeInput): Warning | undefined {
  const { maxLength, type, overflow } = after;
  if (ready === undefined || ready <= maxLength || maxLength >= before.maxLength) return undefined;
  const excess = `${ready} messages are ready, more than maxLength ${maxLength}`;
  if (overflow === 'drop-head')
    return {
      code: 'drops-oldest',
      message: `${excess}: the oldest ${ready - maxLength} are dropped at once`,
    };
  const share = type === 'quorum' ? ' (80 %)' : '';
  const reopen = `${reopenLength(maxLength, type)}${share}`;
  return { code: 'shuts-gate', message: `${excess}: gateways refuse until it has drained to ${reopen}` };
}

function beyondFleet({ before, after }: ChangeInput): Warning | undefined {
  const { workers, concurrency, fleetConcurrency } = after;
  const offered = workers * concurrency;
  const bound = fleetConcurrency ?? before.fleetConcurrency ?? Infinity;
  const isOld = fleetConcurrency !== undefined && offered <= before.workers * before.concurrency;
  if (offered <= bound || isOld) return undefined;
  const handlers = `${offered} handlers (${count(workers, 'worker')} x concurrency ${concurrency})`;
  const message =
    fleetConcurrency === undefined
      ? `${handlers} may run at once without the fleetConcurrency of ${bound}`
      : `${handlers} are more than fleetConcurrency ${bound}: no more than that run at once`;
  return { code: 'beyond-fleet', message };
}

function beyondBudget({ before, after, maxInFlight = Infinity }: ChangeInput): Warning | undefined {
  const handlers = handlerCount(after);
  if (handlers <= maxInFlight || handlers <= handlerCount(before)) return undefined;
  const message = `up to ${handlers} handlers at once, more than the ${maxInFlight} that the downstream bears`;
  return { code: 'beyond-budget', message };
}

function refusesAll({ before, after }: ChangeInput): Warning | undefined {
  if (after.paused !== 'refuse' || before.paused === 'refuse') return undefined;
  return { code: 'refuses-all', message: 'gateways answer 503 `paused` to everything until it is resumed' };
}
