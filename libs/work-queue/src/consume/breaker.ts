const FIRST_TRIAL_DELAY_MS = 200;
const MAX_TRIAL_DELAY_MS = 5_000;

type State =
  | { readonly isOpen: false; readonly failedIds: Set<string> }
  | { readonly isOpen: true; readonly trialDelayMs: number };

/**
 * Says when a handler fails because of something behind it, so that its work is worth keeping until that works
 * again.
 *
 * closed: work runs as it comes. `breakAfter` different messages fail without a success between -> open. One bad
 * message, however often it fails, is its own fault and never opens it.
 *
 * open: the caller tries one job at a time, each after {@link trialDelayMs}, and gives failures back without
 * counting an attempt. The first success -> closed.
 *
 * A throttle, not a switch: while open there is always a trial, so no operator, timer or health check is needed
 * to close it, and an outage costs at most `breakAfter` messages (and those that ran beside them) an attempt. The
 * price: a queue that holds only poison messages stays at one at a time, and burns no attempts, until something
 * succeeds. Nothing of it reaches the dead-letter queue by itself meanwhile.
 */
export class Breaker {
  private state: State = closed();

  /** @param breakAfter different messages; 0: never opens */
  constructor(private readonly breakAfter: number) {}

  get isOpen(): boolean {
    return this.state.isOpen;
  }

  /**
   * How long to wait before the next trial, from 200 to 5000 ms; only meaningful while open. Doubles with each
   * failure while open, those included that were running when it opened.
   */
  get trialDelayMs(): number {
    return this.state.isOpen ? this.state.trialDelayMs : FIRST_TRIAL_DELAY_MS;
  }

  /** An attempt of this message failed, and not in a way that tells of the message alone, such as a validation. */
  failed(messageId: string): void {
    if (this.breakAfter === 0) return;
    this.state = this.state.isOpen ? longer(this.state.trialDelayMs) : this.counted(this.state, messageId);
  }

  /** A job succeeded, of whatever message: what is behind the handler works. */
  succeeded(): void {
    this.state = closed();
  }

  private counted(state: State & { readonly isOpen: false }, messageId: string): State {
    state.failedIds.add(messageId);
    if (state.failedIds.size < this.breakAfter) return state;
    return { isOpen: true, trialDelayMs: FIRST_TRIAL_DELAY_MS };
  }
}

function closed(): State {
  return { isOpen: false, failedIds: new Set() };
}

function longer(trialDelayMs: number): State {
  return { isOpen: true, trialDelayMs: Math.min(MAX_TRIAL_DELAY_MS, trialDelayMs * 2) };
}
