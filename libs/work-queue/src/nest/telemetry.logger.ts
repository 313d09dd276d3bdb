import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
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
        this.logger.log(
          `${e.queue}: ${e.wasCreated ? 'created' : 'found'}, limit ${e.maxLength}. ${e.explanation}`,
        ),
      ),
      telemetry.on('queue.check-failed', (e) =>
        this.logger.error(`${e.queue}: cannot be checked: ${e.reason}`),
      ),
      telemetry.on('consumer.started', (e) =>
        this.logger.log(`${e.queue}: consuming, ${e.concurrency} at once, prefetch ${e.prefetch}`),
      ),
      telemetry.on('consumer.lost', (e) =>
        this.logger.warn(`${e.queue}: not consuming (${e.reason}); again in ${e.retryInMs} ms`),
      ),
      telemetry.on('consumer.stopped', (e) => this.logger.log(`${e.queue}: stopped consuming`)),
      telemetry.on('publish.refused', (e) => this.refused(e)),
      telemetry.on('attempt.failed', (e) =>
        this.logger.warn(
          `${e.queue} ${e.messageId}: attempt ${e.attempt} failed, next in ${e.retryInMs} ms: ${textOf(e.error)}`,
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
    if (event.end === 'dead-lettered') {
      this.logger.error(`${job}: dead-lettered after ${event.attempt} attempts: ${textOf(event.error)}`);
    } else if (event.end === 'expired') {
      this.logger.warn(`${job}: expired before attempt ${event.attempt + 1}: ${textOf(event.error)}`);
    } else if (event.end === 'lost') {
      this.logger.warn(`${job}: its channel closed before it was settled; the broker will deliver it again`);
    } else {
      this.logger.debug(`${job}: ${event.end} in ${event.serviceTimeMs} ms`);
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
