import { types } from 'node:util';
import type { QueueQos } from '@spillway/qos';
import type { IncomingMessage } from '../broker/broker.port.js';
import type { Codec } from '../message/codec.js';
import { jsonCodec } from '../message/json.codec.js';
import { ownBytes } from '../message/own-bytes.js';
import type { Attempt } from './attempt.js';
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

interface Ready {
  readonly payload: unknown;
  readonly context: WorkContext;
}

/** Work that may begin, with its payload; or how it ended before. */
export type Prepared =
  Ready | { readonly payload?: undefined; readonly context?: undefined; readonly outcome: Outcome };

/**
 * Decode, validate, one attempt. Knows no broker: it turns a message into an Outcome and never throws. What comes of a
 * failed attempt says `verdictOn`.
 */
export class Executor {
  constructor(private readonly parts: ExecutorParts) {}

  async execute(item: WorkItem, abandoned: AbortSignal): Promise<Execution> {
    // Validation is within the time limit too: one that never ends must not take a place unseen.
    const attempt = this.parts.running.begin([item.messageId]);
    try {
      const preparing = this.prepare(item, abandoned);
      const prepared =
        preparing instanceof Promise ? this.startable(await preparing, attempt, abandoned) : preparing;
      if (!prepared.context) return { outcome: prepared.outcome, serviceTimeMs: undefined };
      const startedAt = performance.now();
      const outcome = await this.attempted(prepared, attempt, abandoned);
      return { outcome, serviceTimeMs: performance.now() - startedAt };
    } finally {
      this.parts.running.end(attempt);
    }
  }

  /** What is left to do before the handler may be called for this message. A promise only where it validates. */
  prepare({ message, messageId }: WorkItem, abandoned: AbortSignal): Prepared | Promise<Prepared> {
    const { handler, codec, runInThread } = this.parts;
    const context = new WorkContext({ queue: handler.queue, messageId, message, runInThread });
    const unstarted = endBefore(context, abandoned);
    if (unstarted) return { outcome: unstarted };
    try {
      const payload = decoded(codec, message);
      const { payloadType, queue } = handler;
      if (!payloadType) return { context, payload };
      return this.validated(context, validatePayload(payload, payloadType, queue), abandoned);
    } catch (error) {
      return { outcome: { kind: 'dead', reason: 'undecodable', attempts: context.attempt - 1, error } };
    }
  }

  /** Validation may have taken its time: as it was prepared, if it may still begin. */
  startable(prepared: Prepared, { timeout }: Attempt, abandoned: AbortSignal): Prepared {
    const { context } = prepared;
    if (!context) return prepared;
    if (timeout) return { outcome: this.failed(context, timeout, abandoned) };
    const signal = this.parts.stopping?.aborted ? this.parts.stopping : abandoned;
    const unstarted = endBefore(context, signal);
    return unstarted ? { outcome: unstarted } : prepared;
  }

  private async attempted(
    { payload, context }: Ready,
    attempt: Attempt,
    abandoned: AbortSignal,
  ): Promise<Outcome> {
    context.begin(attempt);
    try {
      const result = await this.parts.handler.invoke(payload, context);
      // A late success is a failure: whoever passed the signal on has stopped half way.
      if (attempt.timeout) throw attempt.timeout;
      return { kind: 'succeeded', attempts: context.attempt, result };
    } catch (error) {
      return this.failed(context, error, abandoned);
    }
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
      if (!isInvalidPayload(error)) return { outcome: this.failed(context, error, abandoned) };
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

/** @throws whatever the codec throws; TypeError when it answers with a promise, which nobody waits for */
function decoded(codec: Codec<unknown>, message: IncomingMessage): unknown {
  // Ours takes a copy where it hands out bytes; what others do with them is not known.
  const received = codec === jsonCodec ? message : { ...message, body: ownBytes(message.body) };
  const payload = codec.decode(received);
  if (!types.isPromise(payload)) return payload;
  payload.catch(() => undefined);
  throw new TypeError('expected decode of the codec to return the payload, got: a promise');
}

/** Anything can be thrown, also what cannot even be looked at. */
function isInvalidPayload(error: unknown): boolean {
  try {
    return error instanceof InvalidPayload;
  } catch {
    return false;
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
