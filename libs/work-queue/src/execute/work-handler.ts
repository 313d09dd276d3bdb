import type { PayloadType } from './payload-validator.js';
import type { WorkContext } from './work-context.js';

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
  invoke(payload: unknown, context: WorkContext): Promise<unknown>;
}
