import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FleetCoordinator } from './fleet-coordinator.js';
import { FleetMember } from './fleet-member.js';
import type { FleetTiming, Heartbeat } from './fleet-messages.js';
import { divideBudget } from './shares.js';
import { silentEndsInMs } from './worker-account.js';

const TICK_MS = 50;
const SLOWEST = 0.99;
const ASK_EVERY_TICKS = 1;
const CALM_DELAY_TICKS = 1;
/** Heartbeats that a new coordinator may still get. */
const LATEST = 10;
const ALL_CALM_TICKS = 40;
/** A global is slow to reach in a test's own realm. */
const { ceil, floor, imul, max, min } = Math;

type Side = 0 | 1;

interface Place {
  readonly side: Side;
  /** Of its clock. */
  readonly rate: number;
}

type Step = { readonly afterTicks: number } & (
  | (Place & { readonly does: 'join'; readonly capacity: number })
  | (Place & { readonly does: 'elect' })
  | { readonly does: 'leave'; readonly worker: number }
  | Harm
  | { readonly does: 'resize'; readonly worker: number; readonly capacity: number }
  | { readonly does: 'budget'; readonly budget: number }
  | { readonly does: 'part' | 'heal' }
);

interface Harm {
  readonly does: 'harm';
  readonly how: 'crash' | 'freeze' | 'thaw';
  readonly to: 'worker' | 'coordinator';
  readonly index: number;
}

/** The budget as operators set it. */
interface Plan {
  readonly budget: number;
  readonly version: number;
}

interface Network {
  readonly lossRatio: number;
  readonly twiceRatio: number;
  readonly longDelayTicks: number;
}

/** What happens to a fleet; `seed` draws what is left to chance: delays, losses, how long handlers take. */
interface Story {
  readonly seed: number;
  readonly network: Network;
  readonly leaseMs: number;
  readonly deadlineMs: number;
  readonly budget: number;
  readonly firstCoordinator: Place;
  readonly workers: readonly (Place & { readonly capacity: number })[];
  readonly steps: readonly Step[];
  /** Calm: all is made well again, and the whole budget has to come to use, under the last one elected if it lives. */
  readonly end: 'now' | 'calm' | 'calm, elect';
}

/** A program with a clock of its own; what arrives while it is frozen waits for it. */
class Process {
  isDead = false;
  isFrozen = false;
  readonly inbox: Array<() => void> = [];

  constructor(
    protected readonly world: World,
    readonly side: Side,
    private readonly rate: number,
  ) {}

  get nowMs(): number {
    return 1_000 + this.world.tick * TICK_MS * this.rate;
  }

  get isAwake(): boolean {
    return !this.isDead && !this.isFrozen;
  }

  protected readInbox(): void {
    for (const deliver of this.inbox.splice(0)) deliver();
  }
}

interface Handler {
  readonly endsAtMs: number;
  readonly deadlineAtMs: number;
  /** The largest budget that a lease valid at its start can be of. */
  readonly budget: number;
}

class Worker extends Process {
  readonly member: FleetMember;
  private handlers: Handler[] = [];

  constructor(world: World, { side, rate, capacity }: Place & { readonly capacity: number }) {
    super(world, side, rate);
    this.capacity = capacity;
    this.epoch = String(world.nextNumber());
    this.member = new FleetMember('worker', this.epoch, world.timing);
  }

  readonly epoch: string;
  capacity: number;
  isLeaving = false;
  private hasWork = true;

  get limit(): number {
    return min(this.capacity, this.member.limitAt(this.nowMs).limit);
  }

  /** One that is frozen runs nothing: what passes its deadline meanwhile is gone before it wakes. */
  get running(): readonly Handler[] {
    if (this.isDead) return [];
    return this.isFrozen
      ? this.handlers.filter(({ deadlineAtMs }) => this.nowMs < deadlineAtMs)
      : this.handlers;
  }

  leave(): void {
    this.isLeaving = true;
    this.member.leave();
  }

  endHandlers(): void {
    this.handlers = this.handlers.filter(({ endsAtMs }) => this.nowMs < endsAtMs);
  }

  act(): void {
    this.readInbox();
    if (this.world.chance(0.03)) this.hasWork = !this.hasWork;
    while (this.hasWork && this.handlers.length < this.limit) this.startHandler();
    const { handlers, capacity, nowMs } = this;
    const heartbeat = this.member.heartbeat({ running: handlers.length, capacity }, nowMs);
    if (heartbeat) this.world.broadcast(this.side, heartbeat);
    if (this.isLeaving && this.handlers.length === 0) this.isDead = true;
  }

  private startHandler(): void {
    const { handlerDeadlineMs } = this.world.timing;
    const takesMs = this.world.chance(0.4) ? handlerDeadlineMs : this.world.below(handlerDeadlineMs);
    const { nowMs } = this;
    this.handlers.push({
      endsAtMs: nowMs + takesMs,
      deadlineAtMs: nowMs + handlerDeadlineMs,
      budget: this.world.budgetInForce,
    });
  }
}

class Coordinator extends Process {
  core: FleetCoordinator | undefined;
  budget = 0;
  private version = -1;

  constructor(
    world: World,
    readonly term: number,
    { side, rate }: Place,
  ) {
    super(world, side, rate);
  }

  elected(plan: Plan): void {
    this.setBudget(plan);
    const { term, nowMs, world, budget } = this;
    const othersUntilMs = term === 1 ? Number.NEGATIVE_INFINITY : nowMs;
    this.core = new FleetCoordinator({ term, budget, timing: world.timing, othersUntilMs });
    world.takenOver();
  }

  /** An older plan that comes later is none. */
  setBudget({ budget, version }: Plan): void {
    if (version <= this.version) return;
    this.version = version;
    this.budget = budget;
    this.core?.setBudget(budget);
  }

  hear(heartbeat: Heartbeat): void {
    this.core?.receive(heartbeat, this.nowMs);
  }

  act(): void {
    this.readInbox();
    if (!this.core || this.core.isOver || this.world.tick % ASK_EVERY_TICKS > 0) return;
    const askedAtMs = this.nowMs;
    this.world.send(this.side, this.world.election, () => this.world.answer(this, askedAtMs));
  }

  confirmed(askedAtMs: number): void {
    const grants = this.core?.confirmed(askedAtMs, this.nowMs) ?? [];
    for (const grant of grants) {
      const worker = this.world.workers.find(({ epoch }) => epoch === grant.epoch);
      if (worker) this.world.send(this.side, worker, () => worker.member.receive(grant, worker.nowMs));
    }
  }
}

class World {
  tick = 0;
  readonly timing: FleetTiming;
  readonly workers: Worker[] = [];
  readonly coordinators: Coordinator[] = [];
  readonly election: Process;
  private network: Network;
  private isParted = false;
  private plan: Plan;
  private term = 0;
  private random: number;
  private numbers = 0;
  private readonly latest: Array<{ readonly from: Side; readonly heartbeat: Heartbeat }> = [];
  private readonly onTheWay = new Map<number, Array<() => void>>();
  /** The tick until which a coordinator goes by a budget, or leases it gave may be handed on. */
  private readonly budgetsUntil = new Map<number, number>();

  constructor(private readonly story: Story) {
    this.timing = { heartbeatIntervalMs: 100, leaseMs: story.leaseMs, handlerDeadlineMs: story.deadlineMs };
    this.network = story.network;
    this.plan = { budget: story.budget, version: 0 };
    this.random = story.seed;
    this.election = new Process(this, 0, 1);
    this.elect(story.firstCoordinator);
    for (const worker of story.workers) this.workers.push(new Worker(this, worker));
  }

  play(): void {
    for (const step of this.story.steps) {
      this.pass(step.afterTicks);
      this.take(step);
    }
    if (this.story.end === 'now') return;
    this.calmDown();
    this.pass(this.calmTicks);
    for (let left = ALL_CALM_TICKS; left > 0; left -= 10) {
      this.mustUseBudget();
      this.pass(10);
    }
  }

  get budgetInForce(): number {
    const leaseTicks = ceil(this.timing.leaseMs / SLOWEST / TICK_MS);
    const inForce = [...this.budgetsUntil].filter(([, until]) => until + leaseTicks >= this.tick);
    return max(...inForce.map(([budget]) => budget));
  }

  /** Whoever takes over lets workers keep what they have. */
  takenOver(): void {
    const inForce = this.budgetInForce;
    for (const budget of this.budgetsUntil.keys())
      if (budget <= inForce) this.keepBudget(budget, this.tick + this.silentTicks);
  }

  answer(coordinator: Coordinator, askedAtMs: number): void {
    if (coordinator.term !== this.term) return;
    this.send(this.election.side, coordinator, () => coordinator.confirmed(askedAtMs));
  }

  /** To all coordinators, and some of it to those to come. */
  broadcast(from: Side, heartbeat: Heartbeat): void {
    this.latest.push({ from, heartbeat });
    if (this.latest.length > LATEST) this.latest.shift();
    for (const coordinator of this.coordinators)
      this.send(from, coordinator, () => coordinator.hear(heartbeat));
  }

  send(from: Side, to: Process, deliver: () => void): void {
    const copies = this.chance(this.network.twiceRatio) ? 2 : 1;
    if (to.isDead) return;
    for (let copy = 0; copy < copies; copy++)
      if (!this.chance(this.network.lossRatio)) this.deliverLater(from, to, deliver);
  }

  nextNumber(): number {
    return ++this.numbers;
  }

  chance(ratio: number): boolean {
    return this.below(1) < ratio;
  }

  /** Mulberry32. */
  below(bound: number): number {
    this.random = (this.random + 0x6d2b79f5) | 0;
    let mixed = imul(this.random ^ (this.random >>> 15), this.random | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound;
  }

  private deliverLater(from: Side, to: Process, deliver: () => void): void {
    const { longDelayTicks } = this.network;
    const delay = floor(this.below(this.chance(0.3) ? longDelayTicks : min(2, longDelayTicks)));
    const at = this.tick + 1 + delay;
    const bucket = this.onTheWay.get(at) ?? [];
    this.onTheWay.set(at, bucket);
    bucket.push(() => {
      if (!this.isParted || from === to.side) to.inbox.push(deliver);
      else if (this.chance(0.7)) this.deliverLater(from, to, deliver);
    });
  }

  private get silentTicks(): number {
    return ceil(silentEndsInMs(this.timing) / SLOWEST / TICK_MS);
  }

  /** What is on the way when all is well again, a waiting after it, and what was frozen until then. */
  private get calmTicks(): number {
    return this.story.network.longDelayTicks + 2 * this.silentTicks + 50;
  }

  private pass(ticks: number): void {
    for (let left = ticks; left > 0; left--) this.passTick();
  }

  private passTick(): void {
    this.tick += 1;
    for (const arrive of this.onTheWay.get(this.tick) ?? []) arrive();
    this.onTheWay.delete(this.tick);
    for (const deliver of this.election.inbox.splice(0)) deliver();
    for (const worker of this.workers) if (worker.isAwake) worker.endHandlers();
    for (const process of [...this.workers, ...this.coordinators]) if (process.isAwake) process.act();
    for (const { isDead, core, budget } of this.coordinators)
      if (!isDead && core) this.keepBudget(budget, this.tick);
    this.mustKeepBudget();
  }

  private keepBudget(budget: number, untilTick: number): void {
    this.budgetsUntil.set(budget, max(untilTick, this.budgetsUntil.get(budget) ?? 0));
  }

  /** Those running that started when no budget above b was in force are at most b; the largest b counts all. */
  private mustKeepBudget(): void {
    const budgets = this.workers.flatMap(({ running }) => running.map(({ budget }) => budget));
    if (budgets.length <= min(...budgets)) return;
    budgets.sort((one, other) => one - other);
    const tooMany = budgets.findIndex((budget, index) => index >= budget);
    if (tooMany >= 0) throw new Error(`${tooMany + 1} run of ${budgets[tooMany]} at tick ${this.tick}`);
  }

  private mustUseBudget(): void {
    const live = this.workers.filter(({ isAwake }) => isAwake);
    const limits = live.map(({ limit }) => limit);
    const claims = live.map(({ capacity }) => ({ capacity, held: 0 }));
    const wanted = sorted(divideBudget(this.plan.budget, claims));
    if (sorted(limits) !== wanted) throw new Error(`${sorted(limits)} instead of ${wanted}`);
  }

  private calmDown(): void {
    this.isParted = false;
    this.network = { lossRatio: 0, twiceRatio: 0, longDelayTicks: CALM_DELAY_TICKS };
    for (const process of [...this.workers, ...this.coordinators]) process.isFrozen = false;
    for (const coordinator of this.coordinators) coordinator.setBudget(this.plan);
    const last = this.coordinators.at(-1);
    if (this.story.end === 'calm, elect' || last?.isDead !== false || !last.core)
      this.elect({ side: 0, rate: 1 });
  }

  private elect(place: Place): void {
    const coordinator = new Coordinator(this, ++this.term, place);
    this.coordinators.push(coordinator);
    const { plan } = this;
    for (const { from, heartbeat } of this.latest)
      this.send(from, coordinator, () => coordinator.hear(heartbeat));
    if (this.term === 1) coordinator.elected(plan);
    else this.deliverLater(this.election.side, coordinator, () => coordinator.elected(plan));
  }

  private take(step: Step): void {
    switch (step.does) {
      case 'join':
        this.workers.push(new Worker(this, step));
        break;
      case 'elect':
        this.elect(step);
        break;
      case 'leave':
        pick(this.workers, step.worker)?.leave();
        break;
      case 'resize': {
        const worker = pick(this.workers, step.worker);
        if (worker) worker.capacity = step.capacity;
        break;
      }
      case 'budget':
        this.changeBudget(step.budget);
        break;
      case 'part':
        this.isParted = true;
        break;
      case 'heal':
        this.isParted = false;
        break;
      case 'harm':
        this.harm(step);
    }
  }

  private changeBudget(budget: number): void {
    const plan = { budget, version: this.plan.version + 1 };
    this.plan = plan;
    for (const coordinator of this.coordinators)
      this.deliverLater(this.election.side, coordinator, () => coordinator.setBudget(plan));
  }

  private harm(step: Harm): void {
    const process: Process | undefined =
      step.to === 'worker' ? pick(this.workers, step.index) : pick(this.coordinators, step.index);
    if (!process) return;
    if (step.how === 'crash') process.isDead = true;
    else process.isFrozen = step.how === 'freeze';
  }
}

function sorted(shares: readonly number[]): string {
  return shares.toSorted((one, other) => one - other).join();
}

function pick<T extends Process>(processes: readonly T[], index: number): T | undefined {
  const live = processes.filter(({ isDead }) => !isDead);
  return live[index % live.length];
}

const side = fc.constantFrom<Side>(0, 1);
const rate = fc.constantFrom(1, 0.99, 1.01);
const capacity = fc.integer({ min: 0, max: 8 });
const budget = fc.integer({ min: 0, max: 6 });
const afterTicks = fc.nat(12);
const index = fc.nat(5);
const how = fc.constantFrom<Harm['how']>('crash', 'freeze', 'thaw');
const to = fc.constantFrom<Harm['to']>('worker', 'coordinator');

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ afterTicks, does: fc.constant('join'), capacity, side, rate }) },
  { weight: 5, arbitrary: fc.record({ afterTicks, does: fc.constant('elect'), side, rate }) },
  { weight: 1, arbitrary: fc.record({ afterTicks, does: fc.constant('leave'), worker: index }) },
  { weight: 7, arbitrary: fc.record({ afterTicks, does: fc.constant('harm'), how, to, index }) },
  { weight: 1, arbitrary: fc.record({ afterTicks, does: fc.constant('resize'), worker: index, capacity }) },
  { weight: 1, arbitrary: fc.record({ afterTicks, does: fc.constant('budget'), budget }) },
  { weight: 3, arbitrary: fc.record({ afterTicks, does: fc.constant('part') }) },
  { weight: 1, arbitrary: fc.record({ afterTicks, does: fc.constant('heal') }) },
);

const story: fc.Arbitrary<Story> = fc.record({
  seed: fc.nat(),
  network: fc.record({
    lossRatio: fc.constantFrom(0, 0.1, 0.4),
    twiceRatio: fc.constantFrom(0, 0.2),
    longDelayTicks: fc.constantFrom(1, 4, 20),
  }),
  leaseMs: fc.constantFrom(350, 700),
  deadlineMs: fc.constantFrom(100, 350, 900),
  budget,
  firstCoordinator: fc.record({ side, rate }),
  workers: fc.array(fc.record({ side, rate, capacity }), { minLength: 1, maxLength: 4, size: 'max' }),
  steps: fc.array(step, { maxLength: 14, size: 'max' }),
  end: fc.constantFrom<Story['end']>('now', 'calm', 'calm, elect'),
});

it('whatever happens, no more handlers run than the budget says, and soon after it all of it is in use', () => {
  const plays = fc.property(story, (told) => new World(told).play());
  expect(() => fc.assert(plays, { numRuns: 4_000 })).not.toThrow();
});
