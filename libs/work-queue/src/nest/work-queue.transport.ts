import {
  type BaseRpcContext,
  type CustomTransportStrategy,
  RpcException,
  Server,
} from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import { HandlerRegistrationError } from '../errors/handler-registration.error.js';
import { PermanentFailure } from '../errors/permanent-failure.error.js';
import type { WorkContext } from '../execute/work-context.js';
import { HEADERS } from '../message/headers.js';
import type { WorkQueueRuntime } from '../work-queue.runtime.js';

export interface WorkQueueTransportOptions {
  /** The application's runtime, from WorkQueueModule. */
  readonly runtime: WorkQueueRuntime;
  /** The queue whose messages go to this application's `@EventPattern` methods. */
  readonly queue: string;
}

/**
 * NestJS custom transport: `@EventPattern` methods written for NestJS's RMQ transport, on a bounded queue with
 * confirms, retries and dead letters. Acknowledging is ours: leave out `channel.ack(...)`.
 *
 * NestJS wraps what such a method throws before we see it, so only a missing handler and an undecodable payload are
 * dead-lettered at once; every other failure is retried first, and a filter that returns a promise of nothing counts as
 * success. `@WorkHandler` has neither limit. With strict types write `@EventPattern<string>('pattern')`.
 *
 * @example
 * NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule, {
 *   inject: [WorkQueueRuntime],
 *   useFactory: (runtime: WorkQueueRuntime) => ({ strategy: new WorkQueueTransport({ runtime, queue: 'cats' }) }),
 * });
 */
export class WorkQueueTransport extends Server implements CustomTransportStrategy {
  /** Failures are logged where they are settled, so NestJS need not. */
  override readonly propagatesEventHandlerErrors = true;

  constructor(private readonly options: WorkQueueTransportOptions) {
    super();
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    const failure = await this.consume().catch((error: unknown) => ({ error }));
    callback(failure?.error);
  }

  async close(): Promise<void> {
    await this.options.runtime.stopConsuming();
  }

  on(): never {
    throw new Error('WorkQueueTransport has no events of its own; listen to Telemetry instead');
  }

  // NestJS's contract: the caller says what it expects to get.
  unwrap<T>(): T {
    return this.options.runtime as T;
  }

  private async consume(): Promise<void> {
    const { runtime, queue } = this.options;
    if (!runtime.isStarted) {
      throw new HandlerRegistrationError(
        `WorkQueueTransport of queue ${JSON.stringify(queue)} was started before its application: "await app.init()" comes before app.startAllMicroservices()`,
        { queue },
      );
    }
    await runtime.consume({
      queue,
      label: `@EventPattern methods of ${queue}`,
      payloadType: undefined,
      prefetch: undefined,
      concurrency: undefined,
      // Without `batch` it is always one message.
      invoke: (payload, context) => this.dispatch(payload, context as WorkContext),
    });
  }

  private async dispatch(payload: unknown, context: WorkContext): Promise<unknown> {
    // A message that a plain WorkQueue published has no pattern; its queue's name stands for it.
    const header = context.headers[HEADERS.pattern];
    const pattern = typeof header === 'string' ? header : context.queue;
    const handler = this.getHandlerByPattern(pattern);
    if (!handler) {
      throw new PermanentFailure(
        `no @EventPattern or @MessagePattern(${JSON.stringify(pattern)}) in this application`,
        {
          queue: context.queue,
        },
      );
    }
    try {
      const result: unknown = await handler(payload, context as unknown as BaseRpcContext);
      return await lastValueFrom(this.transformToObservable(result), { defaultValue: undefined });
    } catch (thrown) {
      throw toError(thrown);
    }
  }
}

/** NestJS answers callers, so it turns what was thrown into a plain object. */
function toError(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && !(thrown instanceof Error)
    ? new RpcException(thrown)
    : thrown;
}
