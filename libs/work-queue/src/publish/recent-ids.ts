import { hash } from 'node:crypto';

/** A payload as its codec encodes it; what a codec puts into headers is part of it. */
export interface Content {
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/**
 * What was published lately under which id, so that the same id with another payload is noticed. Bounded: what is
 * older is forgotten, as it is by a restart; then the handler's unique write is what keeps the first.
 */
export class RecentIds {
  private readonly fingerprints = new Map<string, string>();

  /** @param capacity ids to remember; 0 remembers none. About 150 bytes each. */
  constructor(private readonly capacity: number) {}

  /** Remembers the id unless it is known: with the same payload, or with another. */
  claim(messageId: string, { body, headers }: Content): 'new' | 'same' | 'conflict' {
    if (this.capacity === 0) return 'same';
    const fingerprint = hash('sha1', body, 'base64') + (headers ? JSON.stringify(headers) : '');
    const known = this.fingerprints.get(messageId);
    if (known !== undefined) return known === fingerprint ? 'same' : 'conflict';
    this.fingerprints.set(messageId, fingerprint);
    this.forgetOldest();
    return 'new';
  }

  /** Nothing was stored under this id: it may be used for other content. */
  forget(messageId: string): void {
    this.fingerprints.delete(messageId);
  }

  private forgetOldest(): void {
    if (this.fingerprints.size <= this.capacity) return;
    for (const oldest of this.fingerprints.keys()) {
      this.fingerprints.delete(oldest);
      return;
    }
  }
}
