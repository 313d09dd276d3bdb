import type { BatchContext } from './batch-context.js';
import type { PayloadType } from './payload-validator.js';
import type { WorkContext } from './work-context.js';

/** Hands over an array instead of one payload at a time. */
export interface BatchOptions {
  /** Items at the most, 2 or more; the handler's prefetch must be able to fill it. */
  readonly size: number;
  /** How long the first item waits for others, milliseconds. @default 100 */
  readonly maxWaitMs?: number;
}

/** A handler as execution sees it, whoever found it: the decorator's explorer or the NestJS transport. */
export interface MountedHandler {
  readonly queue: string;
  /** For messages and logs, such as `EventsHandler.record`. */
  readonly label: string;
  /** The DTO of the payload; undefined when it is not a class of its own, and then nothing is validated. */
  readonly payloadType: PayloadType | undefined;
  /** Overrides of the QoS file for this handler. */
  readonly prefetch: number | undefined;
  readonly concurrency: number | undefined;
  readonly ratePerSec?: number | undefined;
  readonly batch?: BatchOptions | undefined;
  /** The module whose default export `WorkContext.inThread` runs. */
  readonly threads?: URL | undefined;
  /** With `batch` the payload is an array of them. */
  invoke(payload: unknown, context: WorkContext | BatchContext): Promise<unknown>;
}
