/** A request that has not come to its publish by then has lost its turn. */
const PASS_LEASE_MS = 1_000;

/** Leave to go on to the publish. End it when the request is over, whatever became of it. */
export interface Pass {
  end(): void;
}

/**
 * While the gate is shut nearly every request is refused before its body is read; those that may become the next probe
 * have to come past that. One at a time, but whoever comes past and then does not publish (anonymous, invalid, slow)
 * doubles how many may the next time, so that no such requests, however many, can keep a probe from being made.
 */
export class Passes {
  private allowed = 1;
  /** Started at, oldest first. */
  private readonly out = new Map<Pass, number>();

  take(now: number): Pass | undefined {
    this.expire(now);
    if (this.out.size >= this.allowed) return undefined;
    const pass: Pass = { end: () => this.unused(pass) };
    this.out.set(pass, now);
    return pass;
  }

  /** One of them came to its publish. */
  probed(): void {
    this.allowed = 1;
    this.out.clear();
  }

  private expire(now: number): void {
    for (const [pass, startedAt] of this.out) {
      if (now - startedAt < PASS_LEASE_MS) return;
      this.unused(pass);
    }
  }

  private unused(pass: Pass): void {
    if (this.out.delete(pass)) this.allowed *= 2;
  }
}
