import { describeThrown } from '../errors/describe-thrown.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { PlanOverrides } from './plan-entry.js';
import type { PlacedEntry, PlanFold } from './plan-fold.js';
import { succession } from './plan-start.js';

/** Where the last plan outlives the process. Neither rejects. */
export interface PlanStore {
  /** Undefined when there is none that can be used. */
  load(): Promise<PlacedEntry | undefined>;
  /** Resolves when it, or a later one, is stored, or when that failed. */
  save(plan: PlacedEntry): Promise<void>;
}

type PlanListener = (plan: PlacedEntry) => void;

/** The plan a process goes by: from its cache until the log is read, from the log afterwards, whatever becomes of that. */
export class PlanInForce {
  private known: PlacedEntry | undefined;
  private followed: PlanFold | undefined;
  private saving: Promise<void> = Promise.resolve();
  private readonly listeners = new Set<PlanListener>();
  private readonly waiters = new Set<(fold: PlanFold) => void>();

  constructor(
    private readonly stream: string,
    private readonly telemetry: Telemetry,
    private readonly cache: PlanStore | undefined,
  ) {}

  get current(): PlacedEntry | undefined {
    return this.known;
  }

  get overrides(): PlanOverrides {
    return this.known?.entry.overrides ?? {};
  }

  /** Called with each plan that comes into force, from the cache too. @returns how to stop it */
  onChange(listener: PlanListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Resolves with what was read of the log, once it was read to its end; at once while it is followed. */
  async whenFollowing(): Promise<PlanFold> {
    return this.followed ?? new Promise((resolve) => this.waiters.add(resolve));
  }

  async restore(): Promise<void> {
    const cached = await this.cache?.load();
    if (cached) this.become(cached);
  }

  /** The log was read to its end. */
  following(fold: PlanFold): void {
    this.followed = fold;
    if (fold.current) this.changed(fold.current);
    else if (this.known) {
      const { offset, entry } = this.known;
      this.telemetry.emit('plan.kept', { stream: this.stream, offset, id: entry.id });
    }
    for (const wake of this.waiters) wake(fold);
    this.waiters.clear();
  }

  lost(): void {
    this.followed = undefined;
  }

  /** The log says so. */
  changed(read: PlacedEntry): void {
    const { known, stream } = this;
    if (known?.offset === read.offset && known.entry.id === read.entry.id) return;
    const { offset, entry } = read;
    const followed = succession(known, read);
    if (followed.kind === 'replaced') {
      const knownOffset = known?.offset ?? -1;
      this.telemetry.emit('plan.replaced', { stream, reason: followed.reason, knownOffset, offset });
    }
    const { id, author, reason, change } = entry;
    this.telemetry.emit('plan.changed', { stream, offset, id, author, reason, change });
    this.saving = this.cache?.save(read) ?? this.saving;
    this.become(read);
  }

  /** Resolves when the cache has what it was given. */
  async saved(): Promise<void> {
    await this.saving;
  }

  private become(plan: PlacedEntry): void {
    this.known = plan;
    for (const listener of this.listeners) {
      try {
        listener(plan);
      } catch (error) {
        process.emitWarning(`a listener of the plan threw: ${describeThrown(error)}`);
      }
    }
  }
}
