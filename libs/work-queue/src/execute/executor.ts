import type { QueueQos } from '@spillway/qos';
import type { IncomingMessage } from '../broker/broker.port.js';
import type { Codec } from '../message/codec.js';
import { deadlineMsOf, DeadlinePassed } from './deadline.js';
import type { Execution, Outcome } from './outcome.js';
import { InvalidPayload, validatePayload } from './payload-validator.js';
import type { RunInThread } from './run-in-thread.js';
import type { RunningAttempts } from './running-attempts.js';
import { verdictOn } from './verdict.js';
import { WorkContext } from './work-context.js';
import type { MountedHandler } from './work-handler.js';

/** One message to be worked on. */
export interface WorkItem {
  readonly message: IncomingMessage;
  readonly messageId: string;
}

export interface ExecutorParts {
  readonly handler: MountedHandler;
  readonly qos: Pick<QueueQos, 'maxAttempts' | 'backoff'>;
  readonly codec: Codec<unknown>;
  readonly running: RunningAttempts;
  readonly runInThread?: RunInThread | undefined;
  /** Aborts when nothing more may begin. */
  readonly stopping?: AbortSignal | undefined;
  /** Draws a number in [0, 1). */
  readonly random: () => number;
}

/** Work that may begin, with its payload; or how it ended before. */
export type Prepared =
  | { readonly payload: unknown; readonly context: WorkContext }
  | { readonly payload?: undefined; readonly context?: undefined; readonly outcome: Outcome };

/**
 * Decode, validate, one attempt. Knows no broker: it turns a message into an Outcome and never throws. What comes of a
 * failed attempt says `verdictOn`.
 */
export class Executor {
  constructor(private readonly parts: ExecutorParts) {}

  async execute(item: WorkItem, abandoned: AbortSignal): Promise<Execution> {
    const preparing = this.prepare(item, abandoned);
    const prepared = preparing instanceof Promise ? this.startable(await preparing, abandoned) : preparing;
    if (!prepared.context) return { outcome: prepared.outcome, serviceTimeMs: undefined };
    const { payload, context } = prepared;
    const { handler, running } = this.parts;
    const attempt = running.begin([item.messageId]);
    context.begin(attempt);
    let outcome: Outcome;
    try {
      const result = await handler.invoke(payload, context);
      // A late success is a failure: whoever passed the signal on has stopped half way.
      if (attempt.timeout) throw attempt.timeout;
      outcome = { kind: 'succeeded', attempts: context.attempt, result };
    } catch (error) {
      outcome = this.failed(context, error, abandoned);
    } finally {
      running.end(attempt);
    }
    return { outcome, serviceTimeMs: performance.now() - attempt.startedAt };
  }

  /** What is left to do before the handler may be called for this message. A promise only where it validates. */
  prepare({ message, messageId }: WorkItem, abandoned: AbortSignal): Prepared | Promise<Prepared> {
    const { handler, codec, runInThread } = this.parts;
    const context = new WorkContext({ queue: handler.queue, messageId, message, runInThread });
    const unstarted = endBefore(context, abandoned);
    if (unstarted) return { outcome: unstarted };
    try {
      const payload = codec.decode(message);
      const { payloadType, queue } = handler;
      if (!payloadType) return { context, payload };
      return this.validated(context, validatePayload(payload, payloadType, queue), abandoned);
    } catch (error) {
      return { outcome: { kind: 'dead', reason: 'undecodable', attempts: context.attempt - 1, error } };
    }
  }

  /** Validation may have taken its time: as it was prepared, if it may still begin. */
  startable(prepared: Prepared, abandoned: AbortSignal): Prepared {
    if (!prepared.context) return prepared;
    const signal = this.parts.stopping?.aborted ? this.parts.stopping : abandoned;
    const unstarted = endBefore(prepared.context, signal);
    return unstarted ? { outcome: unstarted } : prepared;
  }

  private async validated(
    context: WorkContext,
    validating: Promise<unknown>,
    abandoned: AbortSignal,
  ): Promise<Prepared> {
    try {
      return { context, payload: await validating };
    } catch (error) {
      // A validator that asks a database may fail itself, which says nothing of the payload.
      if (!(error instanceof InvalidPayload)) return { outcome: this.failed(context, error, abandoned) };
      return { outcome: { kind: 'dead', reason: 'invalid', attempts: context.attempt - 1, error } };
    }
  }

  failed(context: WorkContext, error: unknown, abandoned: AbortSignal): Outcome {
    const attempt = {
      error,
      attempts: context.attempt,
      deadlineMs: deadlineMsOf(context),
      isAbandoned: abandoned.aborted,
    };
    const { qos, random } = this.parts;
    try {
      return verdictOn(attempt, qos, Date.now(), random());
    } catch {
      // Anything can be thrown, also what cannot even be looked at, such as a revoked proxy.
      const unreadable = new TypeError('the handler threw a value that cannot be read');
      return verdictOn({ ...attempt, error: unreadable }, qos, Date.now(), random());
    }
  }
}

/** The outcome when the attempt must not begin. */
function endBefore(context: WorkContext, abandoned: AbortSignal): Outcome | undefined {
  const attempts = context.attempt - 1;
  if (abandoned.aborted) return { kind: 'returned', attempts };
  const deadlineMs = deadlineMsOf(context);
  if (Date.now() < deadlineMs) return undefined;
  return { kind: 'dead', reason: 'expired', attempts, error: new DeadlinePassed(deadlineMs) };
}
