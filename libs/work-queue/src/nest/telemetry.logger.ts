import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { WorkQueueError } from '../errors/work-queue.error.js';
import { Telemetry, type TelemetryEvents } from '../telemetry/telemetry.js';

/** Refusals come in thousands when a queue is full; one line a second per queue and reason tells as much. */
const REFUSAL_LOG_INTERVAL_MS = 1_000;

/** Turns telemetry into log lines: each failure once, where it ended, with queue, id and attempt. */
@Injectable()
export class TelemetryLogger implements OnApplicationShutdown {
  private readonly logger = new Logger('WorkQueue');
  private readonly refusals = new Map<string, { lastLoggedAt: number; unlogged: number }>();
  private readonly unsubscribe: Array<() => void>;

  constructor(@Inject(Telemetry) telemetry: Telemetry) {
    this.unsubscribe = [
      telemetry.on('connection.opened', (e) => this.logger.log(`${e.connection}: connected`)),
      telemetry.on('connection.lost', (e) =>
        this.logger.warn(
          `${e.connection}: no connection (${e.reason}); attempt ${e.attempt + 1} in ${e.retryInMs} ms`,
        ),
      ),
      telemetry.on('connection.blocked', (e) =>
        this.logger.error(`${e.connection}: the broker is in an alarm: ${e.reason}`),
      ),
      telemetry.on('connection.unblocked', (e) =>
        this.logger.log(`${e.connection}: the broker's alarm is over`),
      ),
      telemetry.on('queue.ready', (e) =>
        this.logger.log(`${e.queue}: ${e.wasCreated ? 'created' : 'found'}, limit ${e.maxLength}`),
      ),
      telemetry.on('queue.ready', (e) => this.logger.debug(`${e.queue}: ${e.explanation}`)),
      telemetry.on('queue.check-failed', (e) =>
        this.logger.error(`${e.queue}: cannot be checked: ${e.reason}`),
      ),
      telemetry.on('consumer.started', (e) =>
        this.logger.log(`${e.queue}: consuming, prefetch ${e.prefetch}`),
      ),
      telemetry.on('consumer.resized', (e) =>
        this.logger.log(
          `${e.queue}: resized: ${e.concurrency} at once, prefetch ${e.prefetch}, ${e.ratePerSec === undefined ? 'no rate limit' : `at most ${e.ratePerSec}/s`}`,
        ),
      ),
      telemetry.on('consumer.paused', (e) => this.logger.log(`${e.queue}: paused`)),
      telemetry.on('consumer.resumed', (e) => this.logger.log(`${e.queue}: resumed`)),
      telemetry.on('consumer.lost', (e) =>
        this.logger.warn(`${e.queue}: not consuming (${e.reason}); again in ${e.retryInMs} ms`),
      ),
      telemetry.on('consumer.stopped', (e) => this.logger.log(`${e.queue}: stopped consuming`)),
      telemetry.on('publish.refused', (e) => this.refused(e)),
      telemetry.on('acks.lost', (e) =>
        this.logger.warn(
          `${e.queue}: ${e.count} finished jobs will be done again: the channel closed before their acks`,
        ),
      ),
      telemetry.on('breaker.opened', (e) =>
        this.logger.error(
          `${e.queue}: one job at a time from now on, and failures count for nothing, until one succeeds: ${textOf(e.error)}`,
        ),
      ),
      telemetry.on('breaker.closed', (e) =>
        this.logger.log(`${e.queue}: a job succeeded, back to full speed`),
      ),
      telemetry.on('waiting.full', (e) =>
        this.logger.error(
          `${e.queue}: ${e.waiting} jobs wait for another attempt, ${e.maxWaiting} may: no new work is taken`,
        ),
      ),
      telemetry.on('waiting.drained', (e) =>
        this.logger.log(`${e.queue}: ${e.waiting} jobs wait for another attempt: new work is taken again`),
      ),
      telemetry.on('handler.late', (e) =>
        this.logger.warn(
          `${e.queue} ${e.messageIds.join(' ')}: its handler runs for ${e.runningMs} ms, past its timeout: its signal has aborted`,
        ),
      ),
      telemetry.on('handler.stuck', (e) =>
        this.logger.error(
          `${e.queue} ${e.messageIds.join(' ')}: its handler still runs after ${e.runningMs} ms, long past its timeout; only a restart frees its place`,
        ),
      ),
      telemetry.on('settle.failed', (e) => this.logger.error(`${e.queue} ${e.messageId}: ${e.reason}`)),
      telemetry.on('reply.lost', (e) =>
        this.logger.warn(`${e.queue} ${e.messageId}: settled, but its caller gets no reply: ${e.reason}`),
      ),
      telemetry.on('job.settled', (e) => this.settled(e)),
    ];
  }

  onApplicationShutdown(): void {
    for (const off of this.unsubscribe.splice(0)) off();
  }

  private refused(event: TelemetryEvents['publish.refused']): void {
    const key = `${event.queue} ${event.reason}`;
    const seen = this.refusals.get(key) ?? { lastLoggedAt: 0, unlogged: 0 };
    this.refusals.set(key, seen);
    seen.unlogged++;
    const now = Date.now();
    if (now - seen.lastLoggedAt < REFUSAL_LOG_INTERVAL_MS) return;
    const count = seen.unlogged === 1 ? '' : ` (${seen.unlogged} since the last line)`;
    this.logger.warn(`${event.queue} ${event.messageId}: refused, ${event.reason}: ${event.detail}${count}`);
    Object.assign(seen, { lastLoggedAt: now, unlogged: 0 });
  }

  private settled(event: TelemetryEvents['job.settled']): void {
    const job = `${event.queue} ${event.messageId}`;
    switch (event.end) {
      case 'dead-lettered':
        return this.logger.error(
          `${job}: dead-lettered after ${attempts(event.attempt)}: ${withStack(event.error)}`,
        );
      case 'retried':
        return this.logger.warn(
          `${job}: attempt ${event.attempt} failed, next in ${event.retryInMs} ms: ${event.attempt === 1 ? withStack(event.error) : textOf(event.error)}`,
        );
      case 'deferred':
        return this.logger.debug(`${job}: once more in ${event.retryInMs} ms: ${textOf(event.error)}`);
      case 'expired':
        return this.logger.warn(
          `${job}: expired before attempt ${event.attempt + 1}: ${textOf(event.error)}`,
        );
      case 'set-aside':
        return this.logger.warn(
          `${job}: was out before and came to no end: stored anew with a start on record`,
        );
      case 'lost':
        return this.logger.warn(
          `${job}: its channel closed before it was settled; the broker will deliver it again`,
        );
      case 'dropped':
        return this.logger.debug(`${job}: dropped: ${textOf(event.error)}`);
      case 'returned':
        // Most is returned unstarted; what had begun was aborted by us or could not be stored.
        if (event.serviceTimeMs !== undefined) {
          return this.logger.warn(
            `${job}: given back after its handler ran for ${Math.round(event.serviceTimeMs)} ms: we stop, or its next attempt cannot be stored`,
          );
        }
        return this.logger.debug(`${job}: returned`);
      case 'succeeded':
        return this.logger.debug(`${job}: ${event.end} in ${Math.round(event.serviceTimeMs ?? 0)} ms`);
    }
  }
}

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

/** Where it happened, for a defect; our own errors say all in their text. */
function withStack(error: unknown): string {
  const stack = error instanceof Error && !(error instanceof WorkQueueError) ? error.stack : undefined;
  return stack ?? textOf(error);
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
