import type { QueueType } from '../limit.js';
import * as capacity from './capacity.options.js';
import * as failure from './failure.options.js';
import { Option, OptionGroup } from './option.js';
import * as publish from './publish.options.js';
import * as queue from './queue.options.js';
import type { Overflow, Paused } from './queue.options.js';

/** When a failed job is tried again. */
export class BackoffQos {
  @Option(failure.initial)
  readonly initialMs: number;

  @Option(failure.max)
  readonly maxMs: number;

  @Option(failure.multiplier)
  readonly multiplier: number;
}

/**
 * The quality of service of one queue, resolved: every default filled in, every relation checked, frozen.
 *
 * Only `resolveQueueQos` makes one. What each option means, its bounds and its default stand in its
 * declaration, from which docs/options.md is generated.
 */
export class QueueQos {
  /** Undefined only if `maxLength` was set outright. */
  @Option(capacity.maxLatency)
  readonly maxLatencyMs: number | undefined;

  /** Undefined only if `maxLength` was set outright; the drain rate is then unknown. */
  @Option(capacity.serviceTime)
  readonly serviceTimeMs: number | undefined;

  @Option(capacity.serviceTimeCv)
  readonly serviceTimeCv: number;

  @Option(capacity.workers)
  readonly workers: number;

  @Option(capacity.concurrency)
  readonly concurrency: number;

  @Option(capacity.prefetch)
  readonly prefetch: number;

  /** Handlers over all workers; undefined: as many as workers x concurrency. */
  @Option(capacity.fleetConcurrency)
  readonly fleetConcurrency: number | undefined;

  /** Jobs that one worker starts in a second; undefined: no limit. */
  @Option(capacity.rate)
  readonly ratePerSec: number | undefined;

  @Option(publish.gateways)
  readonly gateways: number;

  @Option(queue.type)
  readonly type: QueueType;

  @Option(queue.overflow)
  readonly overflow: Overflow;

  @Option(queue.maxLength)
  readonly maxLength: number;

  /** Whether `maxLength` was set outright rather than sized from `maxLatency`. */
  readonly isMaxLengthExplicit: boolean;

  @Option(queue.maxWaiting)
  readonly maxWaiting: number;

  @Option(publish.window)
  readonly window: number;

  @Option(publish.windowBytes)
  readonly windowBytes: number;

  @Option(queue.alertAt)
  readonly alertAt: number;

  @Option(queue.shedLowAt)
  readonly shedLowAt: number;

  @Option(queue.paused)
  readonly paused: Paused;

  @Option(failure.maxAttempts)
  readonly maxAttempts: number;

  @OptionGroup({ name: 'backoff', schema: BackoffQos })
  readonly backoff: BackoffQos;

  /** Different messages; 0: the breaker never opens. */
  @Option(failure.breakAfter)
  readonly breakAfter: number;

  @Option(failure.timeout)
  readonly timeoutMs: number;

  @Option(failure.timeoutGrace)
  readonly timeoutGraceMs: number;
}
