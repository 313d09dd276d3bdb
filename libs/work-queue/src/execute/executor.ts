import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs, type QueueQos } from '@spillway/qos';
import type { IncomingMessage } from '../broker/broker.port.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import type { Codec } from '../message/codec.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { runAttempt } from './attempt.js';
import { deadlineMsOf, DeadlinePassed } from './deadline.js';
import type { DeadReason, Outcome } from './outcome.js';
import { InvalidPayload, validatePayload } from './payload-validator.js';
import { WorkContext } from './work-context.js';
import type { MountedHandler } from './work-handler.js';

export interface ExecutorSignals {
  readonly stopping: AbortSignal;
  readonly abandoned: AbortSignal;
}

/** The attempt that failed last. */
interface Failure {
  readonly attempt: number;
  readonly error: unknown;
}

/**
 * Decode, validate, attempt, and attempt again with backoff. Knows no broker: it turns a message into an Outcome
 * and never throws. A failing message keeps its handler's place while it waits for the next attempt, so a broken
 * downstream slows intake down instead of making a backlog somewhere else. No attempt begins after the deadline.
 */
export class Executor {
  constructor(
    private readonly handler: MountedHandler,
    private readonly qos: QueueQos,
    private readonly codec: Codec<unknown>,
    private readonly telemetry: Telemetry,
    private readonly random: () => number,
  ) {}

  async execute(message: IncomingMessage, messageId: string, signals: ExecutorSignals): Promise<Outcome> {
    const context = new WorkContext({ queue: this.handler.queue, messageId, message });
    const payload = await this.payloadOf(message);
    if ('kind' in payload) return payload;
    return this.attempts(payload.value, context, signals);
  }

  private async payloadOf(message: IncomingMessage): Promise<{ value: unknown } | Outcome> {
    let reason: DeadReason = 'undecodable';
    try {
      const decoded = this.codec.decode(message);
      reason = 'invalid';
      const { payloadType, queue } = this.handler;
      return { value: payloadType ? await validatePayload(decoded, payloadType, queue) : decoded };
    } catch (error) {
      return { kind: 'dead', reason, attempts: 0, error };
    }
  }

  private async attempts(payload: unknown, context: WorkContext, signals: ExecutorSignals): Promise<Outcome> {
    const limits = { timeoutMs: this.qos.timeoutMs, abandoned: signals.abandoned };
    let failure: Failure | undefined;
    for (let attempt = 1; ; attempt++) {
      const unstarted = endBefore(context, signals, failure);
      if (unstarted) return unstarted;
      context.attempt = attempt;
      try {
        const result = await runAttempt(this.handler, payload, context, limits);
        return { kind: 'succeeded', attempts: attempt, result };
      } catch (error) {
        failure = { attempt, error };
        const end =
          this.endAfter(failure, signals) ?? (await this.backOff(failure, context, signals.stopping));
        if (end) return end;
      }
    }
  }

  /** The outcome when there is no other attempt. A handler that we aborted ourselves is not to blame. */
  private endAfter({ error, attempt }: Failure, signals: ExecutorSignals): Outcome | undefined {
    if (error instanceof InvalidPayload) return { kind: 'dead', reason: 'invalid', attempts: attempt, error };
    if (error instanceof PermanentFailure)
      return { kind: 'dead', reason: 'permanent', attempts: attempt, error };
    if (signals.abandoned.aborted) return { kind: 'returned', attempts: attempt };
    if (attempt >= this.qos.maxAttempts) return { kind: 'dead', reason: 'failed', attempts: attempt, error };
    return signals.stopping.aborted ? { kind: 'returned', attempts: attempt } : undefined;
  }

  /** Waits for the next attempt. The outcome when there will be none: it would begin too late, or we stop. */
  private async backOff(
    { error, attempt }: Failure,
    context: WorkContext,
    stopping: AbortSignal,
  ): Promise<Outcome | undefined> {
    const { queue, messageId } = context;
    const { initialMs, maxMs, multiplier } = this.qos.backoff;
    const retryInMs = backoffMs({ attempt, initialMs, maxMs, multiplier }, this.random());
    // Waiting for nothing would keep a place from work that can still be in time.
    const isTooLate = Date.now() + retryInMs >= deadlineMsOf(context);
    if (isTooLate) return { kind: 'dead', reason: 'expired', attempts: attempt, error };
    this.telemetry.emit('attempt.failed', { queue, messageId, attempt, retryInMs, error });
    await delay(retryInMs, undefined, { signal: stopping }).catch(() => undefined);
    return stopping.aborted ? { kind: 'returned', attempts: attempt } : undefined;
  }
}

/** The outcome when the next attempt must not begin. What failed before says more than that time is up. */
function endBefore(
  context: WorkContext,
  { abandoned }: ExecutorSignals,
  failure: Failure | undefined,
): Outcome | undefined {
  const attempts = failure?.attempt ?? 0;
  if (abandoned.aborted) return { kind: 'returned', attempts };
  const deadlineMs = deadlineMsOf(context);
  if (Date.now() < deadlineMs) return undefined;
  const error = failure ? failure.error : new DeadlinePassed(deadlineMs);
  return { kind: 'dead', reason: 'expired', attempts, error };
}
