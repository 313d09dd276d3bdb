import { SetMetadata } from '@nestjs/common';
import type { PayloadType } from '../execute/payload-validator.js';
import type { BatchOptions } from '../execute/work-handler.js';

/** NestJS's key for classes that are called from outside; it gives scoped global guards to controllers and those only. */
const ENTRY_PROVIDER_METADATA = '__entryProvider__';

/** A literal, so that two copies of this package in one process still see each other's handlers. */
export const WORK_HANDLER_METADATA = 'spillway:work-handler';

export interface WorkHandlerOptions {
  /** Deliveries the broker may have out here. @default the queue's `prefetch` in the QoS file */
  readonly prefetch?: number;
  /** Handlers running at once, at most `prefetch`. @default `prefetch` if that is given here, else the QoS file's */
  readonly concurrency?: number;
  /** Jobs this worker starts per time, such as `200/s`. @default the QoS file's `rate`: no limit */
  readonly rate?: string;
  /**
   * Hands over arrays: `@Payload() invoices: Invoice[], @Ctx() batch: BatchContext`. Returning acknowledges all of them,
   * throwing fails all of them, and `throw new BatchFailure(...)` says which failed. The timeout is that of the whole
   * batch, and `concurrency` counts batches.
   */
  readonly batch?: BatchOptions;
  /** The class each payload is validated against. @default the declared type of the payload's parameter */
  readonly payload?: PayloadType;
  /**
   * A module whose default export `WorkContext.inThread` runs in a thread, for work that would keep the event loop
   * busy: `new URL('./resize.thread.js', import.meta.url)`. There are as many threads as `concurrency`.
   */
  readonly threads?: URL;
}

export interface WorkHandlerMetadata extends WorkHandlerOptions {
  readonly queue: string;
}

/**
 * Makes a method the handler of a queue, on a provider or a controller alike, with NestJS's guards, pipes,
 * interceptors, filters, `@Payload()` and `@Ctx()`. A parameter typed as a class of yours is validated with
 * class-validator before the method is called.
 *
 * Returning (or resolving) acknowledges the message. Throwing fails the attempt: the message waits in the wait ladder
 * and comes again, up to `maxAttempts`, then it goes to `<queue>.dead`. A `PermanentFailure`, an invalid payload and
 * NestJS's own 400 and 422 exceptions go there at once; `RetryLater` asks for a delay and counts no attempt; `DropWork`
 * ends the work. An exception filter that returns a value has handled the failure, and the message counts as done.
 *
 * @example
 * @WorkHandler('invoices')
 * async print(@Payload() invoice: Invoice, @Ctx() work: WorkContext): Promise<void> {}
 */
export function WorkHandler(queue: string, options: WorkHandlerOptions = {}): MethodDecorator {
  const metadata: WorkHandlerMetadata = { ...options, queue };
  return (target, methodName, descriptor) => {
    Reflect.defineMetadata(ENTRY_PROVIDER_METADATA, true, target.constructor);
    SetMetadata(WORK_HANDLER_METADATA, metadata)(target, methodName, descriptor);
  };
}
