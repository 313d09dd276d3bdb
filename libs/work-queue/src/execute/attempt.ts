/** An attempt took longer than its `timeout`. */
export class AttemptTimeout extends Error {
  override readonly name = 'AttemptTimeout';

  constructor(label: string, timeoutMs: number) {
    super(`${label} took longer than its timeout of ${timeoutMs} ms`);
  }
}

/** One call of a handler. Its signal is made when somebody asks for it: most handlers never do. */
export class Attempt {
  private controller: AbortController | undefined;
  private abortedWith: { readonly reason: unknown } | undefined;

  constructor(
    /** What it is about, for whoever is told that it hangs. */
    readonly messageIds: readonly string[],
    /** `performance.now()`. */
    readonly startedAt: number,
  ) {}

  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.abortedWith) this.controller.abort(this.abortedWith.reason);
    }
    return this.controller.signal;
  }

  /** Why it was aborted, if that was for its time. */
  get timeout(): AttemptTimeout | undefined {
    const reason = this.abortedWith?.reason;
    return reason instanceof AttemptTimeout ? reason : undefined;
  }

  /** The first reason stands. */
  abort(reason: unknown): void {
    if (this.abortedWith) return;
    this.abortedWith = { reason };
    this.controller?.abort(reason);
  }
}
