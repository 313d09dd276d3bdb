import { setTimeout as delay } from 'node:timers/promises';
import { backoffMs, type QueueQos } from '@spillway/qos';
import type { IncomingMessage } from '../broker/broker.port.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import type { Codec } from '../message/codec.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { runAttempt } from './attempt.js';
import type { DeadReason, Outcome } from './outcome.js';
import { InvalidPayload, validatePayload } from './payload-validator.js';
import { WorkContext } from './work-context.js';
import type { MountedHandler } from './work-handler.js';

export interface ExecutorSignals {
  readonly stopping: AbortSignal;
  readonly abandoned: AbortSignal;
}

/**
 * Decode, validate, attempt, and attempt again with backoff. Knows no broker: it turns a message into an Outcome
 * and never throws. A failing message keeps its handler's place while it waits for the next attempt, so a broken
 * downstream slows intake down instead of making a backlog somewhere else.
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
    for (let attempt = 1; ; attempt++) {
      if (signals.abandoned.aborted) return { kind: 'returned', attempts: attempt - 1 };
      context.attempt = attempt;
      try {
        await runAttempt(this.handler, payload, context, {
          timeoutMs: this.qos.timeoutMs,
          abandoned: signals.abandoned,
        });
        return { kind: 'succeeded', attempts: attempt };
      } catch (error) {
        const end = this.endAfter(error, attempt, signals);
        if (end) return end;
        await this.backOff(error, attempt, context.messageId, signals.stopping);
        if (signals.stopping.aborted) return { kind: 'returned', attempts: attempt };
      }
    }
  }

  /** The outcome when there is no other attempt. A handler that we aborted ourselves is not to blame. */
  private endAfter(error: unknown, attempt: number, signals: ExecutorSignals): Outcome | undefined {
    if (error instanceof InvalidPayload) return { kind: 'dead', reason: 'invalid', attempts: attempt, error };
    if (error instanceof PermanentFailure)
      return { kind: 'dead', reason: 'permanent', attempts: attempt, error };
    if (signals.abandoned.aborted) return { kind: 'returned', attempts: attempt };
    if (attempt >= this.qos.maxAttempts) return { kind: 'dead', reason: 'failed', attempts: attempt, error };
    return signals.stopping.aborted ? { kind: 'returned', attempts: attempt } : undefined;
  }

  private async backOff(
    error: unknown,
    attempt: number,
    messageId: string,
    stopping: AbortSignal,
  ): Promise<void> {
    const { initialMs, maxMs, multiplier } = this.qos.backoff;
    const retryInMs = backoffMs({ attempt, initialMs, maxMs, multiplier }, this.random());
    this.telemetry.emit('attempt.failed', {
      queue: this.handler.queue,
      messageId,
      attempt,
      retryInMs,
      error,
    });
    await delay(retryInMs, undefined, { signal: stopping }).catch(() => undefined);
  }
}
