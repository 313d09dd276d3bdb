/** Below the time jest gives a test, so that the journal says what is missing. */
const WITHIN_MS = 4_000;

/** What happened, in order, and a way to wait for it: handlers write, tests read. */
export class Journal {
  readonly entries: string[] = [];
  private readonly waiters = new Set<() => void>();

  write(entry: string): void {
    this.entries.push(entry);
    const waiters = new Set(this.waiters);
    this.waiters.clear();
    for (const wake of waiters) wake();
  }

  /** Resolves when the entry is there `times` times; fails with what is there instead. */
  async until(entry: string, times = 1): Promise<void> {
    while (this.count(entry) < times) await this.nextEntry(`${times} x ${entry}`);
  }

  count(entry: string): number {
    return this.entries.filter((each) => each === entry).length;
  }

  /** @throws when the entry is not there */
  positionOf(entry: string): number {
    const position = this.entries.indexOf(entry);
    if (position < 0) throw new Error(`no ${entry} in: ${this.entries.join(', ')}`);
    return position;
  }

  private nextEntry(wanted: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiters.delete(wake);
        reject(new Error(`waited ${WITHIN_MS} ms for ${wanted}, got: ${this.entries.join(', ')}`));
      }, WITHIN_MS);
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.waiters.add(wake);
    });
  }
}

/** A promise that a test opens by hand, to hold a handler where it is. */
export class Gate {
  readonly opened: Promise<void>;
  private resolve: () => void = () => undefined;

  constructor() {
    this.opened = new Promise((resolve) => (this.resolve = resolve));
  }

  open(): void {
    this.resolve();
  }
}
