/** A value of one option, laid over what the QoS file says while it is in force. */
export interface Override {
  /** As it would stand in the file: `20`, `"200/s"`. Whether it fits is known once the queue is resolved. */
  readonly value: unknown;
  readonly author: string;
  readonly reason: string;
  /** When it was set, milliseconds since the epoch: a record only, as the clocks of two machines differ. */
  readonly atMs: number;
  /** When it ends, milliseconds since the epoch. @default it stays until somebody clears it */
  readonly untilMs?: number;
}

/** The overrides of one queue, by the name of the option in a QoS file. */
export type QueueOverrides = Readonly<Record<string, Override>>;

/** All overrides, by queue; JSON as they stand. A queue without overrides is not among them. */
export type Overrides = Readonly<Record<string, QueueOverrides>>;

/** An override ends at the very millisecond of `untilMs`. */
export function isInForce({ untilMs }: Override, nowMs: number): boolean {
  return untilMs === undefined || nowMs < untilMs;
}
