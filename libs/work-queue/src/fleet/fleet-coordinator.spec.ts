import { describe, expect, it } from '@jest/globals';
import { FleetCoordinator } from './fleet-coordinator.js';
import { FleetMember } from './fleet-member.js';
import type { Grant, Heartbeat } from './fleet-messages.js';

const TIMING = { heartbeatIntervalMs: 100, leaseMs: 1_000, handlerDeadlineMs: 3_000 };
/** A lease and a deadline, or two leases, on clocks that differ as much as they may. */
const SILENT_MS = (4_000 * 1.01) / 0.99;
const TWO_LEASES_MS = (2_000 * 1.01) / 0.99;
const NEVER = Number.NEGATIVE_INFINITY;

/** Coordinator, election and workers with one clock and messages that take no time. */
class Fleet {
  nowMs = 0;
  private readonly members = new Map<string, FleetMember>();
  private readonly running = new Map<string, number>();
  coordinator: FleetCoordinator;

  constructor(private readonly budget: number) {
    this.coordinator = this.elect(1, NEVER);
  }

  elect(term: number, othersUntilMs = this.nowMs, timing = TIMING): FleetCoordinator {
    this.coordinator = new FleetCoordinator({ term, budget: this.budget, timing, othersUntilMs });
    return this.coordinator;
  }

  run(id: string, running: number): void {
    this.running.set(id, running);
  }

  /** What it would say now; lost unless it is handed on. */
  heartbeat(id: string, capacity = 100): Heartbeat {
    const member = this.members.get(id) ?? new FleetMember(id, `${id}1`, TIMING);
    this.members.set(id, member);
    this.nowMs += TIMING.heartbeatIntervalMs;
    const heartbeat = member.heartbeat({ running: this.running.get(id) ?? 0, capacity }, this.nowMs);
    if (!heartbeat) throw new Error('expected a heartbeat to be due');
    return heartbeat;
  }

  ask(heartbeat: Heartbeat): Grant[] {
    this.coordinator.receive(heartbeat, this.nowMs);
    return this.coordinator.confirmed(this.nowMs, this.nowMs);
  }

  take(grants: readonly Grant[]): void {
    for (const grant of grants) this.members.get(grant.workerId)?.receive(grant, this.nowMs);
  }

  /** Each worker sends a heartbeat and takes its answer, one after the other. */
  turn(...ids: string[]): void {
    for (const id of ids) this.take(this.ask(this.heartbeat(id)));
  }

  shares(...ids: string[]): number[] {
    return ids.map((id) => this.members.get(id)?.limitAt(this.nowMs).limit ?? 0);
  }
}

/** Two workers that have half of a budget of 10 each and run as many. */
function fleetOfTwo(): Fleet {
  const fleet = new Fleet(10);
  for (let turns = 0; turns < 3; turns++) fleet.turn('a', 'b');
  fleet.run('a', 5);
  fleet.run('b', 5);
  fleet.turn('a', 'b');
  expect(fleet.shares('a', 'b')).toEqual([5, 5]);
  return fleet;
}

describe('a coordinator', () => {
  it('has the whole budget in use after a few turns', () => {
    const fleet = new Fleet(17);
    for (let turns = 0; turns < 4; turns++) fleet.turn('a', 'b', 'c');
    expect(fleet.shares('a', 'b', 'c')).toEqual([6, 6, 5]);
  });

  it('gives who joins nothing until others have said that they have less and run no more', () => {
    const fleet = fleetOfTwo();
    fleet.turn('c', 'c', 'a', 'b', 'c');
    expect(fleet.shares('a', 'b', 'c')).toEqual([4, 3, 0]);
    fleet.turn('a', 'b', 'c');
    expect(fleet.shares('c')).toEqual([0]);
    fleet.run('a', 4);
    fleet.turn('a', 'c');
    expect(fleet.shares('c')).toEqual([1]);
    fleet.run('b', 3);
    fleet.turn('b', 'c');
    expect(fleet.shares('c')).toEqual([3]);
  });

  it('counts a share that is not in use while it is not known that the worker took the smaller one', () => {
    const fleet = new Fleet(10);
    for (let turns = 0; turns < 3; turns++) fleet.turn('a', 'b');
    fleet.turn('c', 'c');
    const lost = fleet.ask(fleet.heartbeat('a'));
    expect(lost).toMatchObject([{ share: 4 }]);
    fleet.turn('c');
    expect(fleet.shares('a', 'b', 'c')).toEqual([5, 5, 0]);
    fleet.turn('a', 'a', 'c');
    expect(fleet.shares('a', 'c')).toEqual([4, 1]);
  });

  it('counts a grant that got lost as long as the worker may take it', () => {
    const fleet = fleetOfTwo();
    fleet.coordinator.setBudget(20);
    const lost = fleet.ask(fleet.heartbeat('a'));
    expect(lost).toMatchObject([{ share: 10 }]);
    fleet.coordinator.setBudget(14);
    fleet.ask(fleet.heartbeat('a'));
    fleet.turn('b');
    expect(fleet.shares('b')).toEqual([5]);
    fleet.turn('a');
    fleet.turn('a', 'b');
    expect(fleet.shares('a', 'b')).toEqual([7, 7]);
  });

  it('counts a grant that the worker may have taken after a heartbeat that came late', () => {
    const fleet = new Fleet(10);
    fleet.turn('a');
    const grants = fleet.ask(fleet.heartbeat('a'));
    expect(grants).toMatchObject([{ share: 10 }]);
    const late = fleet.heartbeat('a');
    fleet.take(grants);
    fleet.turn('b', 'b');
    fleet.nowMs += 1_100;
    fleet.coordinator.receive(late, fleet.nowMs);
    fleet.turn('b', 'b');
    expect(fleet.shares('b')).toEqual([0]);
  });

  it('keeps the share of a silent worker until its leases and handlers must be over', () => {
    const fleet = fleetOfTwo();
    const bHeardAtMs = fleet.nowMs;
    while (fleet.nowMs + 100 < bHeardAtMs + SILENT_MS) fleet.turn('a');
    expect(fleet.shares('a')).toEqual([5]);
    fleet.turn('a', 'a');
    expect(fleet.shares('a')).toEqual([10]);
  });

  it('keeps it two leases long even if handlers end sooner', () => {
    const fleet = new Fleet(10);
    fleet.elect(1, NEVER, { ...TIMING, handlerDeadlineMs: 10 });
    for (let turns = 0; turns < 3; turns++) fleet.turn('a', 'b');
    const bHeardAtMs = fleet.nowMs;
    while (fleet.nowMs + 100 < bHeardAtMs + TWO_LEASES_MS) fleet.turn('a');
    expect(fleet.shares('a')).toEqual([5]);
    fleet.turn('a', 'a');
    expect(fleet.shares('a')).toEqual([10]);
  });

  it('has the share of a leaver free as soon as that runs nothing', () => {
    const fleet = fleetOfTwo();
    fleet.ask({ ...fleet.heartbeat('b'), isLeaving: true, share: 0, running: 2 });
    fleet.turn('a');
    expect(fleet.shares('a')).toEqual([8]);
    fleet.ask({ ...fleet.heartbeat('b'), isLeaving: true, share: 0, running: 0 });
    fleet.turn('a');
    expect(fleet.shares('a')).toEqual([10]);
  });

  it('takes a restarted worker for another one', () => {
    const fleet = fleetOfTwo();
    const restarted = { ...fleet.heartbeat('b'), epoch: 'b2', sequence: 1, term: 0, answers: 0, share: 0 };
    expect(fleet.ask(restarted)).toMatchObject([{ epoch: 'b2', share: 0 }]);
    expect(fleet.ask({ ...restarted, sequence: 2, term: 1, answers: 1 })).toMatchObject([{ share: 0 }]);
  });

  it('answers a heartbeat once, and only when the election was asked after it came', () => {
    const fleet = fleetOfTwo();
    const { coordinator } = fleet;
    const heartbeat = fleet.heartbeat('a');
    coordinator.receive(heartbeat, fleet.nowMs);
    expect(coordinator.confirmed(fleet.nowMs - 1, fleet.nowMs)).toEqual([]);
    expect(coordinator.confirmed(fleet.nowMs, fleet.nowMs + 5)).toHaveLength(1);
    coordinator.receive(heartbeat, fleet.nowMs + 6);
    expect(coordinator.confirmed(fleet.nowMs + 6, fleet.nowMs + 6)).toEqual([]);
  });

  it('answers in the end a worker whose next heartbeat always comes before the word of the election', () => {
    const fleet = fleetOfTwo();
    const { coordinator } = fleet;
    coordinator.receive(fleet.heartbeat('a'), fleet.nowMs);
    const askedAtMs = fleet.nowMs;
    const later = fleet.heartbeat('a');
    coordinator.receive(later, fleet.nowMs);
    expect(coordinator.confirmed(askedAtMs, fleet.nowMs)).toMatchObject([{ answers: later.sequence - 1 }]);
  });

  it('lets running handlers finish when the budget shrinks, and has no more start than the new one', () => {
    const fleet = fleetOfTwo();
    fleet.coordinator.setBudget(4);
    fleet.turn('a', 'b');
    expect(fleet.shares('a', 'b')).toEqual([2, 2]);
  });

  it('never again offers more to a worker that was to have less, unless it is free', () => {
    const fleet = fleetOfTwo();
    fleet.coordinator.setBudget(4);
    fleet.take(fleet.ask(fleet.heartbeat('a')));
    // Now that a can take no more than 1, b is to have 3, but a has 2 yet.
    fleet.take(fleet.ask(fleet.heartbeat('a', 1)));
    fleet.turn('b');
    expect(fleet.shares('a', 'b')).toEqual([1, 2]);
  });
});

describe('a coordinator that takes over', () => {
  it('has those who come over keep what they hold, and the rest kept back until it must be over', () => {
    const fleet = fleetOfTwo();
    fleet.elect(2);
    const electedAtMs = fleet.nowMs;
    while (fleet.nowMs + 100 < electedAtMs + SILENT_MS) fleet.turn('a');
    expect(fleet.shares('a')).toEqual([5]);
    fleet.turn('a', 'a');
    expect(fleet.shares('a')).toEqual([10]);
  });

  it('may divide anew meanwhile what came over', () => {
    const fleet = fleetOfTwo();
    fleet.elect(2);
    fleet.turn('a', 'a', 'b', 'b', 'c');
    expect(fleet.shares('a', 'b', 'c')).toEqual([5, 5, 0]);
    fleet.run('a', 0);
    fleet.run('b', 0);
    for (let turns = 0; turns < 3; turns++) fleet.turn('a', 'b', 'c');
    expect(fleet.shares('a', 'b', 'c')).toEqual([4, 3, 3]);
  });

  it('does not raise by what a worker said before it obeyed', () => {
    const fleet = fleetOfTwo();
    const before = fleet.heartbeat('a');
    fleet.elect(2);
    const [grant] = fleet.ask(before);
    expect(grant).toMatchObject({ term: 2, share: 5, mayRaise: false });
  });

  it('inherits nothing by what a worker said before it obeyed', () => {
    const fleet = fleetOfTwo();
    fleet.elect(2);
    fleet.ask(fleet.heartbeat('a'));
    fleet.turn('c', 'c', 'c');
    expect(fleet.shares('c')).toEqual([0]);
  });

  it('inherits once from a leaver whose old heartbeats come late', () => {
    const fleet = fleetOfTwo();
    fleet.elect(2);
    fleet.turn('b', 'b');
    const late = fleet.heartbeat('b');
    const left = { ...fleet.heartbeat('b'), isLeaving: true, share: 0, running: 0 };
    for (const heartbeat of [left, late, left]) fleet.ask(heartbeat);
    fleet.turn('c', 'c', 'c');
    expect(fleet.shares('c')).toEqual([5]);
  });

  it('inherits no more than the lease of who runs more than that', () => {
    const fleet = fleetOfTwo();
    const { share, ...before } = fleet.heartbeat('a');
    fleet.elect(2);
    fleet.ask({ ...before, share: 2, sequence: 90 });
    fleet.ask({ ...before, share: 2, sequence: 91, term: 2, answers: 90, running: share });
    fleet.turn('c', 'c');
    expect(fleet.ask({ ...before, share: 2, sequence: 92, term: 2, answers: 91, running: 0 })).toMatchObject([
      { share: 1 },
    ]);
  });

  it('waits for nobody when there was no lower term', () => {
    const fleet = new Fleet(10);
    fleet.turn('a', 'a');
    expect(fleet.shares('a')).toEqual([10]);
  });
});

describe('a coordinator that was replaced', () => {
  it('says nothing any more once a worker obeys a higher term', () => {
    const fleet = fleetOfTwo();
    const former = fleet.coordinator;
    fleet.elect(2);
    fleet.turn('a');
    former.receive(fleet.heartbeat('b'), fleet.nowMs);
    former.receive(fleet.heartbeat('a'), fleet.nowMs);
    expect(former.isOver).toBe(true);
    expect(former.confirmed(fleet.nowMs, fleet.nowMs)).toEqual([]);
  });
});
