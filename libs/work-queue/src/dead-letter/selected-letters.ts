import type { IncomingMessage } from '../broker/broker.port.js';
import { errorClassOf } from './dead-letter.js';
import type { RunEnd, RunResult } from './dead-letter-results.js';
import type { ReadyLetters } from './ready-letters.js';
import type { Selector } from './selection.js';

/** Whether a selected letter goes for good. What it throws ends the run. */
export type MayGo = (letter: IncomingMessage) => Promise<boolean>;

interface SelectedLettersParts {
  /** Undefined when none is ready. */
  readonly letters: ReadyLetters | undefined;
  readonly ready: number;
  readonly selector: Selector;
  readonly signal: AbortSignal | undefined;
}

/** One run over the dead letters of a queue, which takes selected ones out and gives all others back. */
export class SelectedLetters {
  constructor(private readonly parts: SelectedLettersParts) {}

  get progress(): Pick<RunResult, 'ready' | 'looked' | 'matched'> {
    const { ready, letters, selector } = this.parts;
    return { ready, looked: letters?.looked ?? 0, matched: selector.matched };
  }

  get removed(): number {
    return this.parts.letters?.removed ?? 0;
  }

  /** @throws DeadLetterError when the letter in hand is no longer ours */
  assertHeld(): void {
    this.parts.letters?.assertHeld();
  }

  /**
   * Never rejects: what went wrong is the result's `end`, beside what was done until then.
   * @param onLetter called after each selected letter
   */
  async remove(mayGo: MayGo, onLetter: () => void = () => undefined): Promise<RunResult> {
    const { letters, selector } = this.parts;
    const end = letters ? await this.goThrough(letters, mayGo, onLetter) : FINISHED;
    await letters?.close();
    const { progress } = this;
    return { ...progress, left: progress.ready - this.removed, notFound: selector.notFound, end };
  }

  private async goThrough(letters: ReadyLetters, mayGo: MayGo, onLetter: () => void): Promise<RunEnd> {
    const { selector, signal } = this.parts;
    try {
      for (let letter = await letters.next(); letter; letter = await letters.next()) {
        if (!selector.matches({ id: letter.messageId, errorClass: errorClassOf(letter.headers) })) continue;
        if (await mayGo(letter)) letters.remove(letter);
        onLetter();
      }
      if (signal?.aborted) return { kind: 'aborted' };
      return letters.looked < this.parts.ready && letters.isFull ? { kind: 'held-limit' } : FINISHED;
    } catch (error) {
      return { kind: 'failed', error };
    }
  }
}

const FINISHED: RunEnd = { kind: 'finished' };
