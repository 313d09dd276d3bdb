import { beforeEach, afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { endFakeTime, gate, settled } from '../../../../test/support/fake-broker.js';
import type { Lane } from './delivery.js';
import { type Batching, InFlight, type InFlightItem } from './in-flight.js';
import { TokenBucket } from './token-bucket.js';

interface Item extends InFlightItem {
  readonly id: string;
}

interface Run {
  readonly items: readonly Item[];
  end(): Promise<void>;
}

interface SetUp {
  readonly limit?: number;
  readonly ratePerSec?: number;
  readonly batching?: Batching;
  readonly started?: (items: readonly Item[]) => void;
}

/** Runs items until the test ends them. */
function setUp({ limit = 1, ratePerSec, batching, started: onStart }: SetUp = {}) {
  const running: Run[] = [];
  const started: string[] = [];
  const rate = new TokenBucket(ratePerSec, performance.now());
  const run = (items: readonly Item[]): Promise<void> => {
    const ended = gate();
    const end = async (): Promise<void> => {
      running.splice(running.indexOf(current), 1);
      ended.open();
      await settled();
    };
    const current = { items, end };
    running.push(current);
    started.push(items.map(({ id }) => id).join('+'));
    onStart?.(items);
    return ended.promise;
  };
  const inFlight = new InFlight<Item>(limit, rate, run, batching);
  const add = (...ids: readonly string[]): void => {
    for (const id of ids) inFlight.add(itemOf(id));
  };
  const end = async (id: string): Promise<void> => {
    await running.find(({ items }) => items.some((item) => item.id === id))?.end();
  };
  return { inFlight, rate, running, started, add, end };
}

/** `w1` comes from the work queue, `d1` from the due queue, `a1` runs alone. */
function itemOf(id: string): Item {
  const lane = laneOf(id);
  return { id, lane, receivedAt: performance.now(), runsAlone: lane === 'alone' };
}

function laneOf(id: string): Lane {
  if (id.startsWith('w')) return 'work';
  return id.startsWith('d') ? 'due' : 'alone';
}

const all = (): boolean => true;

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(endFakeTime);

describe('handlers in flight', () => {
  it('start in order of arrival, each as soon as there is a place', async () => {
    const { inFlight, started, add, end } = setUp({ limit: 2 });
    add('w1', 'w2', 'w3', 'w4');
    expect(started).toEqual(['w1', 'w2']);
    await end('w2');
    expect(started).toEqual(['w1', 'w2', 'w3']);
    expect([inFlight.runningCount, inFlight.waitingCount]).toEqual([2, 1]);
    expect(inFlight.runningItems.map(({ id }) => id)).toEqual(['w1', 'w3']);
  });

  it('take turns between new and due work', async () => {
    const { started, add, end } = setUp();
    add('w1', 'w2', 'w3', 'd1', 'd2');
    for (const id of ['w1', 'd1', 'w2', 'd2', 'w3']) await end(id);
    expect(started).toEqual(['w1', 'd1', 'w2', 'd2', 'w3']);
  });

  it('go on after one whose outcome was an error of ours', async () => {
    const failing = new InFlight<Item>(1, new TokenBucket(undefined, 0), () =>
      Promise.reject(new Error('must not happen')),
    );
    for (const id of ['w1', 'w2']) failing.add(itemOf(id));
    await settled();
    expect([failing.runningCount, failing.waitingCount]).toEqual([0, 0]);
  });

  it('are idle when the last one has ended, however much waits', async () => {
    const { inFlight, add, end } = setUp({ limit: 2 });
    await inFlight.idle();
    add('w1', 'w2', 'w3');
    inFlight.hold('test');
    let isIdle = false;
    void inFlight.idle().then(() => (isIdle = true));
    await end('w1');
    expect(isIdle).toBe(false);
    await end('w2');
    expect([isIdle, inFlight.waitingCount]).toEqual([true, 1]);
  });

  it('hand back what has not started and matches, and go on with the rest', async () => {
    const { inFlight, started, add, end } = setUp();
    add('w1', 'w2', 'd1', 'w3');
    expect(inFlight.takeWaiting(({ lane }) => lane === 'work').map(({ id }) => id)).toEqual(['w2', 'w3']);
    await end('w1');
    expect(started).toEqual(['w1', 'd1']);
  });
});

describe('a limit that changes', () => {
  it('starts more at once when it is raised', () => {
    const { inFlight, started, add } = setUp();
    add('w1', 'w2', 'w3', 'w4');
    inFlight.setLimit(3);
    expect(started).toEqual(['w1', 'w2', 'w3']);
  });

  it('starts nothing when it is lowered until the surplus has finished', async () => {
    const { inFlight, started, add, end } = setUp({ limit: 3 });
    add('w1', 'w2', 'w3', 'w4', 'w5');
    inFlight.setLimit(1);
    await end('w1');
    await end('w2');
    expect(started).toEqual(['w1', 'w2', 'w3']);
    await end('w3');
    expect(started).toEqual(['w1', 'w2', 'w3', 'w4']);
  });

  it('is one at a time beside what ran when it was throttled, which may take its time', async () => {
    const { inFlight, add, running } = setUp({ limit: 3 });
    add('w1', 'w2');
    inFlight.throttle(true);
    add('w3', 'w4');
    expect(running.flatMap(({ items }) => items.map(({ id }) => id))).toEqual(['w1', 'w2', 'w3']);
    await running[2]?.end();
    expect(running.flatMap(({ items }) => items.map(({ id }) => id))).toEqual(['w1', 'w2', 'w4']);
  });

  it('is one at a time while throttled, and what it was set to meanwhile afterwards', async () => {
    const { inFlight, started, add, end } = setUp({ limit: 2 });
    inFlight.throttle(true);
    add('w1', 'w2', 'w3', 'w4');
    inFlight.setLimit(3);
    expect(started).toEqual(['w1']);
    await end('w1');
    expect(started).toEqual(['w1', 'w2']);
    inFlight.throttle(false);
    expect(started).toEqual(['w1', 'w2', 'w3', 'w4']);
  });
});

describe('a hold', () => {
  it('starts nothing, whatever happens, until the last reason for it is gone', async () => {
    const { inFlight, started, add, end } = setUp();
    add('w1', 'w2');
    inFlight.hold('one');
    inFlight.hold('one');
    inFlight.hold('two');
    await end('w1');
    add('w3');
    inFlight.setLimit(5);
    inFlight.throttle(false);
    inFlight.release('one');
    inFlight.release('unheard of');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(started).toEqual(['w1']);
    inFlight.release('two');
    expect(started).toEqual(['w1', 'w2', 'w3']);
  });
});

describe('a lane that is held', () => {
  it('starts nothing of it, whatever happens, while the others go on', async () => {
    const { inFlight, started, add, end } = setUp({ limit: 2 });
    inFlight.holdLane('work');
    add('w1', 'd1', 'w2', 'a1', 'd2');
    expect(started).toEqual(['d1']);
    inFlight.setLimit(5);
    inFlight.hold('test');
    inFlight.release('test');
    await end('d1');
    await end('a1');
    await jest.advanceTimersByTimeAsync(60_000);
    expect([started, inFlight.waitingCount]).toEqual([['d1', 'a1', 'd2'], 2]);
    inFlight.releaseLane('work');
    expect(started).toEqual(['d1', 'a1', 'd2', 'w1', 'w2']);
  });

  it('goes on only once nothing else holds either', () => {
    const { inFlight, started, add } = setUp();
    inFlight.hold('test');
    inFlight.holdLane('work');
    add('w1');
    inFlight.releaseLane('work');
    expect(started).toEqual([]);
    inFlight.release('test');
    expect(started).toEqual(['w1']);
  });

  it('hands back what waits in it', () => {
    const { inFlight, add } = setUp();
    inFlight.holdLane('work');
    add('w1', 'w2');
    expect(inFlight.takeWaiting(all).map(({ id }) => id)).toEqual(['w1', 'w2']);
    expect(inFlight.waitingCount).toBe(0);
  });

  it('is left out of batches, and its messages make none wait less', async () => {
    const { inFlight, started, add } = setUp({ batching: { size: 3, maxWaitMs: 100 } });
    add('w1', 'w2');
    inFlight.holdLane('work');
    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(60);
    add('d1');
    await jest.advanceTimersByTimeAsync(99);
    expect(started).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['d1']);
  });

  it('takes no tokens and leaves no timer for one', async () => {
    const { inFlight, started, add } = setUp({ limit: 5, ratePerSec: 10 });
    add('w1', 'w2');
    expect(jest.getTimerCount()).toBe(1);
    inFlight.holdLane('work');
    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(100);
    add('d1');
    expect(started).toEqual(['w1', 'd1']);
  });

  it('keeps nobody from starting when what runs alone is in it', () => {
    const { inFlight, started, add } = setUp({ limit: 3 });
    add('w1', 'a1', 'w2');
    expect(started).toEqual(['w1']);
    inFlight.holdLane('alone');
    expect(started).toEqual(['w1', 'w2']);
  });
});

describe('what runs alone', () => {
  it('starts only when nothing runs, and nothing starts beside it', async () => {
    const { started, add, end } = setUp({ limit: 3 });
    add('w1', 'w2', 'a1', 'w3');
    expect(started).toEqual(['w1', 'w2']);
    await end('w1');
    add('w4');
    expect(started).toEqual(['w1', 'w2']);
    await end('w2');
    expect(started).toEqual(['w1', 'w2', 'a1']);
    add('w5');
    expect(started).toEqual(['w1', 'w2', 'a1']);
    await end('a1');
    expect(started).toEqual(['w1', 'w2', 'a1', 'w3', 'w4', 'w5']);
  });

  it('runs one after another where there are several, with others in turn', async () => {
    const { started, add, end } = setUp({ limit: 2 });
    add('a1', 'a2', 'w1', 'w2');
    await end('a1');
    expect(started).toEqual(['a1', 'w1']);
    await end('w1');
    expect(started).toEqual(['a1', 'w1', 'a2']);
    await end('a2');
    expect(started).toEqual(['a1', 'w1', 'a2', 'w2']);
  });

  it('keeps nobody from starting once it is taken away', () => {
    const { inFlight, started, add } = setUp({ limit: 3 });
    add('w1', 'a1', 'w2', 'w3');
    expect(started).toEqual(['w1']);
    expect(inFlight.takeWaiting(({ runsAlone }) => runsAlone)).toHaveLength(1);
    expect(started).toEqual(['w1', 'w2', 'w3']);
  });

  it('runs alone while throttled too', async () => {
    const { inFlight, started, add, end } = setUp({ limit: 3 });
    inFlight.throttle(true);
    add('w1', 'a1', 'w2');
    await end('w1');
    inFlight.throttle(false);
    expect(started).toEqual(['w1', 'a1']);
    await end('a1');
    expect(started).toEqual(['w1', 'a1', 'w2']);
  });
});

describe('a rate', () => {
  it('spreads the starts evenly, however many places are free', async () => {
    const { started, add } = setUp({ limit: 10, ratePerSec: 10 });
    add('w1', 'w2', 'w3');
    expect(started).toEqual(['w1']);
    await jest.advanceTimersByTimeAsync(99);
    expect(started).toEqual(['w1']);
    await jest.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['w1', 'w2']);
    await jest.advanceTimersByTimeAsync(100);
    expect(started).toEqual(['w1', 'w2', 'w3']);
  });

  it('that is raised while something waits for a token holds at once', async () => {
    const { inFlight, rate, started, add } = setUp({ limit: 10, ratePerSec: 0.01 });
    add('w1', 'w2', 'w3');
    rate.setRate(10, performance.now());
    inFlight.setLimit(10);
    await jest.advanceTimersByTimeAsync(200);
    expect(started).toEqual(['w1', 'w2', 'w3']);
  });

  it('counts each message of a batch, and only those that start', async () => {
    const { started, add, end } = setUp({
      limit: 3,
      ratePerSec: 20,
      batching: { size: 4, maxWaitMs: 0 },
    });
    add('w1');
    await end('w1');
    // Next in turn: w2, and a1, which is not for its company; so one token is enough.
    await jest.advanceTimersByTimeAsync(1_000);
    add('a1');
    await end('a1');
    await jest.advanceTimersByTimeAsync(1_000);
    add('w2');
    expect(started).toEqual(['w1', 'a1', 'w2']);
  });

  it('charges a batch that one that runs alone cuts short for what it is', async () => {
    const { inFlight, started, add, end } = setUp({
      ratePerSec: 10,
      batching: { size: 4, maxWaitMs: 1_000 },
    });
    inFlight.hold('test');
    add('w1', 'd1', 'w2', 'a1', 'w3');
    inFlight.release('test');
    expect(started).toEqual(['w1+d1']);
    inFlight.takeWaiting(({ id }) => id !== 'w3');
    await end('w1');
    add('w4', 'w5', 'w6');
    await jest.advanceTimersByTimeAsync(199);
    expect(started).toEqual(['w1+d1']);
    await jest.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['w1+d1', 'w3+w4+w5+w6']);
  });

  it('keeps a full batch no longer than its token, however long it might have waited for others', async () => {
    const { started, add } = setUp({
      limit: 5,
      ratePerSec: 100,
      batching: { size: 2, maxWaitMs: 60_000 },
    });
    add('w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8', 'w9', 'w10');
    expect(started).toHaveLength(5);
    const slow = setUp({ ratePerSec: 10, limit: 5, batching: { size: 2, maxWaitMs: 60_000 } });
    slow.add('w1', 'w2', 'w3');
    slow.add('w4');
    await jest.advanceTimersByTimeAsync(200);
    expect(slow.started).toEqual(['w1+w2', 'w3+w4']);
  });

  it('that made a batch wait makes one message wait less, once throttled', async () => {
    const { inFlight, started, add, end } = setUp({ ratePerSec: 100, batching: { size: 10, maxWaitMs: 0 } });
    inFlight.hold('test');
    add(...Array.from({ length: 20 }, (_item, index) => `w${index}`));
    inFlight.release('test');
    await end('w0');
    inFlight.throttle(true);
    await jest.advanceTimersByTimeAsync(9);
    expect(started).toHaveLength(1);
    await jest.advanceTimersByTimeAsync(1);
    expect(started.slice(1)).toEqual(['w10']);
  });

  it('leaves no second timer when a handler changes the bounds as it starts', async () => {
    const { inFlight, started, add } = setUp({
      limit: 5,
      ratePerSec: 10,
      started: () => inFlight.setLimit(5),
    });
    inFlight.hold('test');
    add('w1', 'w2');
    inFlight.release('test');
    expect(jest.getTimerCount()).toBe(1);
    await jest.advanceTimersByTimeAsync(100);
    expect(started).toEqual(['w1', 'w2']);
  });

  it('leaves no timer when nothing waits for it any more', () => {
    const { inFlight, add } = setUp({ limit: 5, ratePerSec: 0.001 });
    add('w1', 'w2');
    expect(jest.getTimerCount()).toBe(1);
    inFlight.takeWaiting(all);
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('batches', () => {
  const batching: Batching = { size: 3, maxWaitMs: 100 };

  it('start at once when they are full', () => {
    const { started, add } = setUp({ limit: 2, batching });
    add('w1', 'w2', 'w3', 'd1', 'w4', 'd2', 'w5');
    expect(started).toEqual(['w1+w2+w3', 'd1+w4+d2']);
  });

  it('that are not full start when their first message has waited long enough', async () => {
    const { started, add } = setUp({ batching });
    add('w1');
    await jest.advanceTimersByTimeAsync(60);
    add('w2');
    await jest.advanceTimersByTimeAsync(39);
    expect(started).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['w1+w2']);
  });

  it('count from their oldest message, of whichever lane', async () => {
    const { started, add } = setUp({ batching });
    add('w1');
    await jest.advanceTimersByTimeAsync(60);
    add('d1');
    await jest.advanceTimersByTimeAsync(40);
    expect(started).toEqual(['w1+d1']);
  });

  it('whose messages waited for a place anyway do not wait again', async () => {
    const { started, add, end } = setUp({ batching });
    add('w1', 'w2', 'w3', 'w4');
    await jest.advanceTimersByTimeAsync(100);
    expect(started).toEqual(['w1+w2+w3']);
    await end('w1');
    expect(started).toEqual(['w1+w2+w3', 'w4']);
  });

  it('take one place each', async () => {
    const { inFlight, add } = setUp({ limit: 2, batching });
    add('w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8', 'w9');
    expect([inFlight.runningCount, inFlight.waitingCount]).toEqual([2, 3]);
    expect(inFlight.runningItems).toHaveLength(6);
  });

  it('never mix with what runs alone, which waits for nobody', async () => {
    const { started, add, end } = setUp({ limit: 3, batching });
    add('a1');
    expect(started).toEqual(['a1']);
    add('w1', 'w2', 'w3', 'a2', 'w4', 'w5');
    await end('a1');
    // It is the turn of new work, then of what runs alone, which nothing gets past.
    expect(started).toEqual(['a1', 'w1']);
    await end('w1');
    expect(started).toEqual(['a1', 'w1', 'a2']);
    await end('a2');
    expect(started).toEqual(['a1', 'w1', 'a2', 'w2+w3+w4']);
    await jest.advanceTimersByTimeAsync(100);
    expect(started).toEqual(['a1', 'w1', 'a2', 'w2+w3+w4', 'w5']);
  });

  it('are of one message, at once, while throttled', async () => {
    const { inFlight, started, add, end } = setUp({ batching });
    add('w1', 'w2');
    inFlight.throttle(true);
    expect(started).toEqual(['w1']);
    add('w3', 'w4');
    await end('w1');
    expect(started).toEqual(['w1', 'w2']);
    inFlight.throttle(false);
    await end('w2');
    await jest.advanceTimersByTimeAsync(100);
    expect(started).toEqual(['w1', 'w2', 'w3+w4']);
  });

  it('that were held while they waited start with the release when their time is over', async () => {
    const { inFlight, started, add } = setUp({ batching });
    add('w1');
    inFlight.hold('test');
    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(150);
    expect(started).toEqual([]);
    inFlight.release('test');
    expect(started).toEqual(['w1']);
  });

  it('that were held for a short while wait for the rest of their time', async () => {
    const { inFlight, started, add } = setUp({ batching });
    add('w1');
    inFlight.hold('test');
    await jest.advanceTimersByTimeAsync(50);
    inFlight.release('test');
    await jest.advanceTimersByTimeAsync(49);
    expect(started).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(started).toEqual(['w1']);
  });

  it('leave no timer when what waited is taken away', () => {
    const { inFlight, add } = setUp({ batching });
    add('w1', 'd1');
    inFlight.takeWaiting(({ lane }) => lane === 'work');
    expect(jest.getTimerCount()).toBe(1);
    inFlight.takeWaiting(all);
    expect(jest.getTimerCount()).toBe(0);
  });
});

type Step =
  | { readonly do: 'add'; readonly kind: 'w' | 'd' | 'a' }
  | { readonly do: 'end'; readonly nth: number }
  | { readonly do: 'limit'; readonly to: number }
  | { readonly do: 'throttle'; readonly is: boolean }
  | { readonly do: 'hold' | 'release'; readonly why: string }
  | { readonly do: 'take' | 'hold lane' | 'release lane'; readonly lane: Lane }
  | { readonly do: 'wait'; readonly ms: number };

const LANES = ['work', 'due', 'alone'] as const;

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('add' as const),
      kind: fc.constantFrom(
        'w' as const,
        'w' as const,
        'w' as const,
        'd' as const,
        'd' as const,
        'a' as const,
      ),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), nth: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('limit' as const), to: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('throttle' as const), is: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('hold' as const, 'release' as const, 'release' as const),
      why: fc.constantFrom('one', 'two'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('take' as const, 'hold lane' as const, 'release lane' as const),
      lane: fc.constantFrom(...LANES),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }) },
);

const MAX_WAIT_MS = 50;

/** Does the steps, and checks each start against what is allowed at that instant. */
class Exercise {
  /** What went against the rules. */
  readonly problems: string[] = [];
  private limit = 3;
  private isThrottled = false;
  /** What ran when it was throttled. */
  private stragglers = new Set<unknown>();
  private readonly holds = new Set<string>();
  private readonly heldLanes = new Set<Lane>();
  private readonly added: string[] = [];
  private readonly taken: string[] = [];
  private readonly begun: string[] = [];
  private readonly setup: ReturnType<typeof setUp>;

  constructor(
    private readonly size: number,
    private readonly ratePerSec: number | undefined,
  ) {
    this.setup = setUp({
      limit: this.limit,
      ...(ratePerSec !== undefined && { ratePerSec }),
      batching: { size, maxWaitMs: MAX_WAIT_MS },
      started: (items) => this.started(items),
    });
  }

  async do(step: Step): Promise<void> {
    const before = this.setup.running.length;
    await this.doNow(step);
    const { length: running } = this.setup.running;
    this.check(running <= Math.max(before, this.limitNow), `${running} run after ${step.do}`);
    this.checkNothingIsForgotten();
  }

  /** All that was added and not taken away comes to its end, each once and each lane in order. */
  async finish(): Promise<void> {
    const { inFlight, running } = this.setup;
    for (const why of ['one', 'two']) await this.do({ do: 'release', why });
    for (const lane of LANES) await this.do({ do: 'release lane', lane });
    for (let turn = 0; running.length > 0 || inFlight.waitingCount > 0; turn++) {
      if (turn > 1_000) throw new Error('it comes to no end');
      if (running.length > 0) await this.do({ do: 'end', nth: 0 });
      else await jest.advanceTimersByTimeAsync(1_000);
    }
    const toBegin = this.added.filter((id) => !this.taken.includes(id));
    for (const lane of LANES) {
      const isOfLane = (id: string): boolean => laneOf(id) === lane;
      const [begun, expected] = [this.begun, toBegin].map((ids) => ids.filter(isOfLane).join());
      this.check(begun === expected, `begun: ${begun}, expected: ${expected}`);
    }
    this.check(jest.getTimerCount() === 0, 'a timer is left');
  }

  private async doNow(step: Step): Promise<void> {
    const { inFlight, running, add } = this.setup;
    switch (step.do) {
      case 'add':
        this.added.push(`${step.kind}${this.added.length}`);
        return add(...this.added.slice(-1));
      case 'end':
        return running[step.nth % Math.max(1, running.length)]?.end();
      case 'limit':
        this.limit = step.to;
        return inFlight.setLimit(step.to);
      case 'throttle':
        if (step.is && !this.isThrottled) this.stragglers = new Set(running);
        this.isThrottled = step.is;
        return inFlight.throttle(step.is);
      case 'hold':
        this.holds.add(step.why);
        return inFlight.hold(step.why);
      case 'release':
        this.holds.delete(step.why);
        return inFlight.release(step.why);
      case 'take': {
        const taken = inFlight.takeWaiting(({ lane }) => lane === step.lane);
        return void this.taken.push(...taken.map(({ id }) => id));
      }
      case 'hold lane':
        this.heldLanes.add(step.lane);
        return inFlight.holdLane(step.lane);
      case 'release lane':
        this.heldLanes.delete(step.lane);
        return inFlight.releaseLane(step.lane);
      case 'wait':
        await jest.advanceTimersByTimeAsync(step.ms);
    }
  }

  private get limitNow(): number {
    const stragglers = this.setup.running.filter((run) => this.stragglers.has(run)).length;
    return this.isThrottled ? Math.min(this.limit, stragglers + 1) : this.limit;
  }

  private started(items: readonly Item[]): void {
    const { length: running } = this.setup.running;
    const all = this.setup.running.flatMap((run) => run.items);
    const most = this.isThrottled ? 1 : this.size;
    this.check(this.holds.size === 0, 'started while held');
    this.check(!items.some(({ lane }) => this.heldLanes.has(lane)), 'started though its lane is held');
    this.check(running <= this.limitNow, `started as number ${running} of ${this.limitNow}`);
    this.check(items.length > 0 && items.length <= most, `a batch of ${items.length}`);
    this.check(all.length === 1 || !all.some(({ runsAlone }) => runsAlone), 'has company');
    this.begun.push(...items.map(({ id }) => id));
  }

  /** With no rate and no batch nothing can wait while nothing runs; otherwise there is a timer for it. */
  private checkNothingIsForgotten(): void {
    const { inFlight, running } = this.setup;
    const timers = jest.getTimerCount();
    if (this.holds.size > 0) return this.check(timers === 0, 'a timer runs while it is held');
    const left = this.added.filter((id) => !this.taken.includes(id) && !this.begun.includes(id));
    this.check(inFlight.waitingCount === left.length, `${inFlight.waitingCount} of ${left.length} wait`);
    const mayStart = left.filter((id) => !this.heldLanes.has(laneOf(id)));
    if (mayStart.length === 0) return this.check(timers === 0, 'a timer runs for nothing');
    if (running.length > 0) return;
    const mayWait = this.size > 1 || this.ratePerSec !== undefined;
    this.check(mayWait && timers === 1, 'something waits for nothing');
  }

  private check(isRight: boolean, problem: string): void {
    if (!isRight) this.problems.push(problem);
  }
}

describe('whatever happens', () => {
  it.each([
    ['one message at a time', 1, undefined],
    ['batches', 3, undefined],
    ['a rate', 1, 40],
    ['batches and a rate', 3, 40],
  ])('the bounds hold and nothing is lost or started twice: %s', async (_what, size, ratePerSec) => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (sequence) => {
        const exercise = new Exercise(size, ratePerSec);
        for (const step of sequence) await exercise.do(step);
        await exercise.finish();
        expect(exercise.problems).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
