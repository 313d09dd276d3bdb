import type { IncomingMessage } from '../broker/broker.port.js';
import { deadLetterQueueOf } from '../broker/queue-target.js';
import { DeadLetterError } from '../errors/dead-letter.error.js';
import { type DeadLetter, describeDeadLetter, errorClassOf } from './dead-letter.js';
import type {
  CountOptions,
  DeadLetterCount,
  DiscardOptions,
  DiscardResult,
  PeekOptions,
  RedriveOptions,
  RedriveResult,
} from './dead-letter-results.js';
import { type LetterConnection, ReadyLetters } from './ready-letters.js';
import { Redrive } from './redrive.js';
import { Resender, type SendToQueue } from './resender.js';
import { SelectedLetters } from './selected-letters.js';
import { type DeadLetterSelection, Selector } from './selection.js';

export interface DeadLetterServiceDeps {
  /** For reading. Not the one for publishing, which an alarm blocks. */
  readonly connection: LetterConnection;
  /** For redriving: to the queue that the message names. */
  readonly send: SendToQueue;
  /**
   * Letters that may be out, and in this process's memory, at a time, 1..65535. Too low, and a class whose letters lie
   * behind so many others cannot be reached; too high, and large bodies fill the memory. @default 10000
   */
  readonly maxHeld?: number;
}

/** What is read, and at most how much of it. */
interface Reading {
  readonly queue: string;
  readonly letters?: number;
  readonly held?: number;
  readonly signal?: AbortSignal | undefined;
}

interface OpenLetters {
  readonly ready: number;
  readonly letters: ReadyLetters | undefined;
}

/** The most that AMQP can name. */
const MAX_PREFETCH = 65_535;
const DEFAULT_MAX_HELD = 10_000;
/** Removing all keeps none, so nothing has to be held but what comes next. */
const HELD_WHEN_NONE_IS_KEPT = 100;
const DEFAULT_PEEK_LIMIT = 20;
const MAX_PEEK_LIMIT = 1_000;
const DEFAULT_RATE_PER_SEC = 50;

/**
 * The dead letters of work queues: look at them, count them, put them back to work, throw them away. Every method
 * takes the name of the work queue. A letter that one run holds is out of sight for others until the run ends; all it
 * does not remove goes back to its place, also when this process dies.
 *
 * On RabbitMQ 3.10 to 4.0 giving back raises a letter's delivery count; the delivery limit of our dead-letter queues,
 * 1,000,000, makes that harmless.
 *
 * Every method throws `DeadLetterError` when asked for nonsense, or for a queue that has no dead-letter queue, and
 * `ConnectError` while there is no connection.
 */
export class DeadLetterService {
  private readonly maxHeld: number;

  constructor(private readonly deps: DeadLetterServiceDeps) {
    this.maxHeld = deps.maxHeld ?? DEFAULT_MAX_HELD;
    assertCount('maxHeld', this.maxHeld, MAX_PREFETCH);
  }

  /**
   * The oldest dead letters, bodies included. Nothing is consumed: all letters (`maxHeld` at most) are read, so that
   * they go back in their order, and those beyond `limit` are forgotten as they come.
   * @throws the signal's reason when it aborts
   */
  async peek(queue: string, options: PeekOptions = {}): Promise<DeadLetter[]> {
    const { limit = DEFAULT_PEEK_LIMIT, selection = { all: true }, signal } = options;
    assertCount('limit', limit, MAX_PEEK_LIMIT);
    const selector = new Selector(selection);
    const found: DeadLetter[] = [];
    await this.readAll({ queue, signal, letters: this.maxHeld }, (message) => {
      if (found.length >= limit) return;
      const letter = describeDeadLetter(message, queue);
      if (selector.matches(letter)) found.push(letter);
    });
    return found;
  }

  /** How many there are of each error class; keeps no bodies. @throws the signal's reason when it aborts */
  async count(queue: string, options: CountOptions = {}): Promise<DeadLetterCount> {
    const { limit = DEFAULT_MAX_HELD, signal } = options;
    assertCount('limit', limit, MAX_PREFETCH);
    const counts = new Map<string, number>();
    const { total, counted } = await this.readAll(
      { queue, signal, letters: limit, held: limit },
      ({ headers }) => {
        const errorClass = errorClassOf(headers);
        counts.set(errorClass, (counts.get(errorClass) ?? 0) + 1);
      },
    );
    const classes = [...counts].map(([errorClass, count]) => ({ errorClass, count }));
    classes.sort((left, right) => right.count - left.count);
    return { total, counted, classes, isComplete: counted === total };
  }

  /**
   * Publishes the selected letters to their queue again, oldest first and one at a time, and removes each one once
   * its copy is confirmed. It obeys the queue's limit: while the queue is full it waits, without an end but by the
   * signal. Letters that come while it runs, redriven work that failed again among them, are left to the next run.
   *
   * Whatever interrupts it, nothing is lost: run it again and it goes on. At worst the letter it had in hand is then
   * in the queue twice, under one message id; handlers that write once per id make that harmless. (A letter without
   * an id gets a new one each time.)
   */
  async redrive(
    queue: string,
    selection: DeadLetterSelection,
    options: RedriveOptions = {},
  ): Promise<RedriveResult> {
    const { ratePerSec = DEFAULT_RATE_PER_SEC, dryRun = false, signal, onProgress } = options;
    assertRate(ratePerSec);
    const letters = await this.select(queue, selection, { dryRun, signal });
    const resender = new Resender(this.deps.send, ratePerSec, signal);
    return new Redrive({ queue, letters, resender, dryRun, onProgress }).run();
  }

  /** Removes the selected letters for good. */
  async discard(
    queue: string,
    selection: DeadLetterSelection,
    options: DiscardOptions = {},
  ): Promise<DiscardResult> {
    const { dryRun = false, signal } = options;
    const letters = await this.select(queue, selection, { dryRun, signal });
    const result = await letters.remove(() => Promise.resolve(!dryRun));
    return { ...result, discarded: letters.removed };
  }

  private async select(
    queue: string,
    selection: DeadLetterSelection,
    { dryRun, signal }: Pick<DiscardOptions, 'dryRun' | 'signal'>,
  ): Promise<SelectedLetters> {
    const selector = new Selector(selection);
    const held = selector.isForAll && !dryRun ? HELD_WHEN_NONE_IS_KEPT : undefined;
    const { letters, ready } = await this.open({ queue, signal, held });
    return new SelectedLetters({ letters, ready, selector, signal });
  }

  private async readAll(
    reading: Reading,
    see: (letter: IncomingMessage) => void,
  ): Promise<{ total: number; counted: number }> {
    const { letters, ready: total } = await this.open(reading);
    if (!letters) return { total, counted: 0 };
    try {
      for (let letter = await letters.next(); letter; letter = await letters.next()) see(letter);
      reading.signal?.throwIfAborted();
      return { total, counted: letters.looked };
    } finally {
      await letters.close();
    }
  }

  /** No letters when none is ready. */
  private async open({ queue, letters, held = this.maxHeld, signal }: Reading): Promise<OpenLetters> {
    const { connection } = this.deps;
    const deadQueue = deadLetterQueueOf(queue);
    const reading = await connection.inspectQueue(deadQueue);
    if (!reading) throw new DeadLetterError(missing(queue, deadQueue), { queue });
    const ready = reading.readyMessages;
    if (ready === 0) return { ready, letters: undefined };
    const wanted = Math.min(ready, letters ?? ready);
    const request = { deadQueue, ready, letters: wanted, prefetch: Math.min(wanted, held), signal };
    return { ready, letters: await ReadyLetters.open(connection, request) };
  }
}

function missing(queue: string, deadQueue: string): string {
  return (
    `there is no dead-letter queue ${JSON.stringify(deadQueue)} on this broker: expected the name of a work queue, ` +
    `got: ${JSON.stringify(queue)}. It is made when a process that uses the queue starts; check the name and the vhost.`
  );
}

/** n.b. options come from command lines and requests as well. */
function assertCount(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new DeadLetterError(`expected ${name} to be an integer from 1 to ${max}, got: ${value}`);
}

function assertRate(ratePerSec: number): void {
  if (Number.isFinite(ratePerSec) && ratePerSec > 0) return;
  throw new DeadLetterError(`expected ratePerSec to be a number above 0, got: ${ratePerSec}`);
}
