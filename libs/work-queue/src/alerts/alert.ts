import type { Overflow } from '@spillway/qos';

export const ALERT_KINDS = [
  'queue-filling',
  'promise-broken',
  'service-time-off',
  'shedding',
  'no-workers',
  'overflow-wrong',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** Something of a queue that people should know about, as long as it lasts. */
export interface Alert {
  readonly kind: AlertKind;
  readonly queue: string;
  /** The picture's `atMs` at which it was raised. */
  readonly raisedAtMs: number;
  /** What is the case, with its values as last seen, and what to do next. */
  readonly message: string;
}

export interface AlertChange {
  readonly change: 'raised' | 'cleared';
  /** Of a cleared alert the message says how things are now. */
  readonly alert: Alert;
}

/** What is known of one queue at one moment. Undefined is what is not known: it raises nothing and clears nothing. */
export interface QueuePicture {
  readonly queue: string;
  /** Milliseconds, by a monotonic clock. */
  readonly atMs: number;
  readonly ready: number | undefined;
  /** The limit in force. */
  readonly maxLength: number | undefined;
  readonly alertAt: number | undefined;
  readonly consumers: number | undefined;
  readonly isPaused: boolean | undefined;
  readonly overflow: OverflowPicture | undefined;
  /** Undefined also when the queue promises nothing. */
  readonly maxLatencyMs: number | undefined;
  /** Over the last 60 s. */
  readonly wait: WaitPicture | undefined;
  /** Of work that succeeded in the last 60 s; undefined when none did. */
  readonly service: ServicePicture | undefined;
  /** As in the QoS file, or the override over it; undefined when it gives none. */
  readonly declaredServiceTimeMs: number | undefined;
  /** Over the last 10 s. */
  readonly publishes: PublishPicture | undefined;
}

export interface OverflowPicture {
  readonly wanted: Overflow;
  readonly inForce: string;
  /** Which policy or argument of the queue says so. */
  readonly decidedBy: string;
}

export interface WaitPicture {
  readonly count: number;
  /** 0 when nothing was counted. */
  readonly p99Ms: number;
}

export interface ServicePicture {
  readonly count: number;
  readonly meanMs: number;
  /** Standard deviation / mean. */
  readonly cv: number;
}

export interface PublishPicture {
  readonly offered: number;
  /** By reason; what was wrong with a message itself is not shed. */
  readonly shed: Readonly<Record<string, number>>;
}
