import type { FleetTiming, Grant, Heartbeat } from './fleet-messages.js';
import { divideBudget } from './shares.js';
import { silentEndsInMs, WorkerAccount } from './worker-account.js';

export interface FleetCoordinatorInput {
  /** Integer from 1, of the election; higher than every one before. */
  readonly term: number;
  /** Handlers at once over all workers of the queue; zero or more. */
  readonly budget: number;
  readonly timing: FleetTiming;
  /**
   * No heartbeat sent after it is answered under a lower term, on this process's clock: when it learned of its
   * election, or earlier if it is known to be; minus infinity if there has never been a lower term.
   */
  readonly othersUntilMs: number;
}

/**
 * Divides a budget over the live workers of a queue so that never more handlers run than it says. The protocol:
 *
 * A worker's heartbeat tells the grant it goes by, its share, and what runs. It is answered at most once, with a
 * grant: a lease that ends `leaseMs` after the heartbeat was *sent*, so that no delay prolongs it. A worker obeys
 * the highest term it has heard and, of that, the answer to its latest heartbeat; without a lease it starts nothing.
 * A process in which a handler has passed its deadline, awake or frozen, ends before it does anything else.
 *
 * Shrink before grow: a worker counts as the most it may run whatever arrives: what its last heartbeat says that
 * runs and is held, and each grant it may still take. Silent, it counts until leases and handlers must be over on
 * the slowest clock. A share grows only by what all counts together leave of the budget.
 *
 * Takeover: what lower terms gave is unknown until their leases and handlers must be over. Until then a worker that
 * comes over keeps at most what it holds at that moment (`mayRaise` false); its former coordinator can give that to
 * nobody else while its own leases live, so it is ours to divide. The rest of the budget is kept back.
 *
 * The election gives each term once, a later one is higher, and it confirms a term only if none higher had begun
 * when it was asked. An answer needs a confirmation asked for after its heartbeat came: so of two coordinators that
 * live, each perhaps with workers that hear only that one, the lower can answer only heartbeats sent before the
 * higher began, and a lease after that it has no power left; the higher waits longer. It ends for good when it hears
 * of a higher term. Coordinators that went on unconfirmed would each spend the budget on their side of a partition.
 *
 * While the budget shrinks, what runs goes on: no more run than the old one, and no more than the new one of those
 * started since the last lease of the old was over: a lease after the change, or after the wait of a takeover.
 */
export class FleetCoordinator {
  private readonly accounts = new Map<string, WorkerAccount>();
  private budget: number;
  /** Shares that workers brought along from lower terms. */
  private inherited = 0;
  private isReplaced = false;

  constructor(private readonly input: FleetCoordinatorInput) {
    this.budget = input.budget;
  }

  /** A worker obeys a higher term: there is nothing left to do, ever. */
  get isOver(): boolean {
    return this.isReplaced;
  }

  /** Holds for every answer from now on. */
  setBudget(budget: number): void {
    this.budget = budget;
  }

  /** @param nowMs of this process's monotonic clock, like every time here */
  receive(heartbeat: Heartbeat, nowMs: number): void {
    if (heartbeat.term > this.input.term) this.isReplaced = true;
    if (this.isReplaced) return;
    const key = JSON.stringify([heartbeat.workerId, heartbeat.epoch]);
    const account = this.accounts.get(key);
    const wasOurs = account?.isOurs === true;
    if (account) account.hear(heartbeat, nowMs);
    const next = account ?? new WorkerAccount(this.input, heartbeat, nowMs);
    if (!account) this.accounts.set(key, next);
    if (!wasOurs && next.isOurs) this.inherited += next.held;
  }

  /**
   * The election has confirmed the term.
   * @param askedAtMs when it was asked, at the latest
   * @returns the answers to the heartbeats that had come by then
   */
  confirmed(askedAtMs: number, nowMs: number): Grant[] {
    if (this.isReplaced) return [];
    this.forget(nowMs);
    const grants: Grant[] = [];
    for (const [account, target] of this.plan(nowMs)) {
      const heard = account.unansweredBy(askedAtMs);
      if (!heard) continue;
      this.raise(account, { target, nowMs });
      grants.push(account.grant(heard));
    }
    return grants;
  }

  /** Not on hearing: an old heartbeat that is on the way would make a new account. */
  private forget(nowMs: number): void {
    for (const [key, account] of this.accounts) {
      if (account.isOver(nowMs)) this.accounts.delete(key);
    }
  }

  /** What each live worker is to have in the end. Whoever is to have less is never offered more from here on. */
  private plan(nowMs: number): Map<WorkerAccount, number> {
    const sorted = [...this.accounts].toSorted(([one], [other]) => (one < other ? -1 : 1));
    const live = sorted.map(([, account]) => account).filter((account) => account.isLive(nowMs));
    const silent = this.counted((account) => !account.isLive(nowMs));
    const claims = live.map(({ capacity, planned }) => ({ capacity, held: planned }));
    const shares = divideBudget(this.ours(nowMs) - silent, claims);
    return new Map(
      live.map((account, index) => {
        const target = shares[index] ?? 0;
        account.planned = Math.min(account.planned, target);
        return [account, target];
      }),
    );
  }

  /** By what is free. Whoever has not come over yet keeps what it has. */
  private raise(
    account: WorkerAccount,
    { target, nowMs }: { readonly target: number; readonly nowMs: number },
  ): void {
    if (!account.isOurs) return;
    const free = this.ours(nowMs) - this.counted();
    const { planned, bound } = account;
    account.planned = Math.min(target, Math.max(Math.min(planned, bound), bound + free));
  }

  /** The part of the budget that nobody else can have given away. */
  private ours(nowMs: number): number {
    const { othersUntilMs, timing } = this.input;
    if (nowMs >= othersUntilMs + silentEndsInMs(timing)) return this.budget;
    return Math.min(this.budget, this.inherited + this.counted((account) => !account.isOurs));
  }

  private counted(which: (account: WorkerAccount) => boolean = () => true): number {
    let total = 0;
    for (const account of this.accounts.values()) if (which(account)) total += account.bound;
    return total;
  }
}
