import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerConnection, QueueArguments, StreamOffset } from '../broker/broker.port.js';
import { describeThrown } from '../errors/describe-thrown.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { type LogReading, readLog, type ReadingTarget } from './log-reading.js';
import { decodeRecord, encodeMarker, type LogRecord } from './plan-entry.js';
import type { PlanAppender } from './plan-appender.js';
import type { PlanFold, Verdict } from './plan-fold.js';
import type { PlanInForce } from './plan-in-force.js';
import { readFrom } from './plan-start.js';
import { appendToStream } from './stream-append.js';
import { StreamReader } from './stream-reader.js';

/** What goes by the log. None of it may throw. */
export interface Followed {
  readonly inForce: Pick<PlanInForce, 'current' | 'following' | 'changed' | 'lost'>;
  readonly appender: Pick<PlanAppender, 'neededFrom' | 'judged' | 'reread'>;
}

export interface PlanFollowerOptions {
  readonly stream: string;
  readonly newId: () => string;
}

/**
 * Retention removes whole segments, and never so many that less than the limit without one segment is left: 117 MB,
 * more than ten thousand entries of 8 KB (measured: 16,004 of 18,000 were kept, and read in 1.5 s). n.b. a stream that is there with other arguments is refused (406).
 */
const PLAN_STREAM_ARGUMENTS: QueueArguments = {
  'x-queue-type': 'stream',
  'x-max-length-bytes': 134_217_728,
  'x-stream-max-segment-size-bytes': 16_777_216,
};

const BACKOFF_INITIAL_MS = 100;
const BACKOFF_MAX_MS = 5_000;
const MARKER_TIMEOUT_MS = 5_000;

/**
 * Reads the plan log to its end, follows it, and begins anew whenever that ends: connection or channel lost, stream
 * deleted. It never resumes at an offset: in a stream that was made anew a reader beyond its end would be told nothing.
 * A stream, other than a queue, may be declared and read again the moment its deletion is told.
 */
export class PlanFollower {
  private readonly closing = new AbortController();
  private following: LogReading | undefined;

  constructor(
    private readonly connection: BrokerConnection,
    private readonly telemetry: Telemetry,
    private readonly options: PlanFollowerOptions,
    private readonly followed: Followed,
  ) {}

  /** Follows until closed. Never rejects. */
  async run(): Promise<void> {
    for (let attempt = 0; !this.isOver; attempt++) {
      try {
        await this.connection.whenOpen(this.closing.signal);
        const reading = await this.catchUp();
        attempt = 0;
        await this.follow(reading);
      } catch (error) {
        await this.lost(describeThrown(error), attempt);
      }
    }
  }

  close(): void {
    this.closing.abort();
    this.letGo();
  }

  private get isOver(): boolean {
    return this.closing.signal.aborted || this.connection.state.kind === 'closed';
  }

  /** Rejects when it is over. */
  private async follow(reading: LogReading): Promise<never> {
    this.following = reading;
    const read = reading.fold.current;
    this.telemetry.emit('plan.following', { stream: this.options.stream, offset: read?.offset });
    this.followed.inForce.following(reading.fold);
    this.followed.appender.reread();
    throw new Error(await reading.reader.ended);
  }

  private async lost(reason: string, attempt: number): Promise<void> {
    this.letGo();
    if (this.isOver) return;
    const { signal } = this.closing;
    const retryInMs = Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** attempt);
    this.telemetry.emit('plan.lost', { stream: this.options.stream, reason, retryInMs });
    await delay(retryInMs, undefined, { signal }).catch(() => undefined);
  }

  private letGo(): void {
    this.followed.inForce.lost();
    this.following?.reader.close();
    this.following = undefined;
  }

  private async catchUp(): Promise<LogReading> {
    await this.connection.declareQueue(this.options.stream, PLAN_STREAM_ARGUMENTS);
    const end = await this.readEnd();
    const from = earlier(readFrom(end), this.followed.appender.neededFrom);
    const target = await this.targetAt(Math.max(-1, ...end.keys()));
    const reading = await this.read(from, target);
    if (reading.fold.isProven || from === 'first') return reading;
    reading.reader.close();
    return this.read('first', target);
  }

  /** The last chunk, by offset; nothing for an empty stream. */
  private async readEnd(): Promise<Map<number, LogRecord>> {
    const end = new Map<number, LogRecord>();
    const reader = await StreamReader.open(this.connection, {
      stream: this.options.stream,
      from: 'last',
      signal: this.closing.signal,
      onEntry: (offset, body) => end.set(offset, decodeRecord(body)),
    });
    try {
      await reader.fence();
      return end;
    } finally {
      reader.close();
    }
  }

  /**
   * Silence does not prove that a log is empty, nor an early end that it lost what is known: the node that is asked may
   * lag behind. What is read before a marker of our own is all there is.
   */
  private async targetAt(endOffset: number): Promise<ReadingTarget> {
    const knownOffset = this.followed.inForce.current?.offset ?? -1;
    if (endOffset >= Math.max(0, knownOffset)) return { offset: endOffset };
    const nonce = this.options.newId();
    const answer = await appendToStream(this.connection, {
      stream: this.options.stream,
      body: encodeMarker(nonce),
      messageId: nonce,
      signal: this.closing.signal,
      timeoutMs: MARKER_TIMEOUT_MS,
    });
    if (answer !== 'acked') throw new Error(`a marker could not be appended: ${answer}`);
    return { nonce };
  }

  private read(from: StreamOffset, target: ReadingTarget): Promise<LogReading> {
    const { stream } = this.options;
    const { signal } = this.closing;
    const onVerdict = (verdict: Verdict, fold: PlanFold): void => this.judged(verdict, fold);
    return readLog(this.connection, { stream, from, target, signal, onVerdict });
  }

  private judged(verdict: Verdict, fold: PlanFold): void {
    if (verdict.kind === 'malformed') {
      const { offset, reason } = verdict;
      this.telemetry.emit('plan.ignored', { stream: this.options.stream, offset, reason });
    }
    const { inForce, appender } = this.followed;
    // What comes before the log was read to its end may be older than what is known.
    if (verdict.kind === 'valid' && fold === this.following?.fold) inForce.changed(verdict.placed);
    if (fold.isProven) appender.judged(verdict);
  }
}

function earlier(from: StreamOffset, needed: number | undefined): StreamOffset {
  if (typeof from !== 'number' || needed === undefined) return from;
  return needed < 0 ? 'first' : Math.min(from, needed);
}
