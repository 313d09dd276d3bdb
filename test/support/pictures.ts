import type { QueuePicture } from '../../libs/work-queue/src/alerts/alert.js';

/** What alert rules see of a queue of which nothing could be read. */
export const NOTHING_KNOWN: QueuePicture = {
  queue: 'orders',
  atMs: 0,
  ready: undefined,
  maxLength: undefined,
  alertAt: undefined,
  consumers: undefined,
  isPaused: undefined,
  overflow: undefined,
  maxLatencyMs: undefined,
  wait: undefined,
  service: undefined,
  declaredServiceTimeMs: undefined,
  publishes: undefined,
};
