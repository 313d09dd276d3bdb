const EXIT_CODE_INTERRUPTED = 130;

/**
 * Ctrl-C ends the phase that is running (sending, or waiting for rows) and the run goes on to its report;
 * a second one exits at once.
 */
export class Interrupts {
  wasInterrupted = false;
  private phase = new AbortController();

  constructor(private readonly exit: (code: number) => void) {}

  /** The signal of the phase that starts now. */
  nextPhase(): AbortSignal {
    this.phase = new AbortController();
    return this.phase.signal;
  }

  readonly handle = (): void => {
    if (this.wasInterrupted) return this.exit(EXIT_CODE_INTERRUPTED);
    this.wasInterrupted = true;
    this.phase.abort();
  };

  /** Returns the function that stops listening. */
  listen(source: NodeJS.EventEmitter): () => void {
    source.on('SIGINT', this.handle);
    source.on('SIGTERM', this.handle);
    return () => {
      source.off('SIGINT', this.handle);
      source.off('SIGTERM', this.handle);
    };
  }
}
