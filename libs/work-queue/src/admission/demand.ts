const BUCKET_MS = 1_000;
const BUCKETS = 10;

interface Bucket {
  second: number;
  offered: number;
  accepted: number;
}

/** How many times more is offered than accepted, over the last 10 seconds. */
export class Demand {
  private readonly buckets: Bucket[] = Array.from({ length: BUCKETS }, () => empty(-1));

  offered(now: number): void {
    this.bucket(now).offered++;
  }

  accepted(now: number): void {
    this.bucket(now).accepted++;
  }

  /** At least 1; undefined when nothing of it was accepted: then it says nothing about how long anybody has to wait. */
  ratio(now: number): number | undefined {
    const oldest = secondOf(now) - BUCKETS;
    let offered = 0;
    let accepted = 0;
    for (const bucket of this.buckets) {
      if (bucket.second <= oldest) continue;
      offered += bucket.offered;
      accepted += bucket.accepted;
    }
    if (accepted === 0) return offered === 0 ? 1 : undefined;
    return Math.max(1, offered / accepted);
  }

  private bucket(now: number): Bucket {
    const second = secondOf(now);
    const index = second % BUCKETS;
    const bucket = this.buckets[index];
    if (bucket?.second === second) return bucket;
    const fresh = empty(second);
    this.buckets[index] = fresh;
    return fresh;
  }
}

function empty(second: number): Bucket {
  return { second, offered: 0, accepted: 0 };
}

function secondOf(now: number): number {
  return Math.floor(now / BUCKET_MS);
}
