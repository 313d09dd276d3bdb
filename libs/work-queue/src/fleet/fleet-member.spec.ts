import { beforeEach, describe, expect, it } from '@jest/globals';
import { FleetMember } from './fleet-member.js';
import type { Grant } from './fleet-messages.js';

const TIMING = { heartbeatIntervalMs: 100, leaseMs: 1_000 };
const IDLE = { running: 0, capacity: 8 };

let member: FleetMember;

beforeEach(() => {
  member = new FleetMember('w', 'e', TIMING);
});

function grant(given: Partial<Grant>): Grant {
  return { workerId: 'w', epoch: 'e', term: 1, answers: 1, share: 5, mayRaise: true, ...given };
}

/** Heartbeats 1, 2, 3 are sent at 0, 100 and 200 ms. */
function beat(): void {
  for (const atMs of [0, 100, 200]) member.heartbeat(IDLE, atMs);
}

function limitAt(nowMs: number): number {
  return member.limitAt(nowMs).limit;
}

describe('a member without a lease', () => {
  it('starts nothing and says so', () => {
    expect(member.limitAt(0)).toEqual({ limit: 0, reason: 'no lease', endsAtMs: undefined });
    expect(member.heartbeat({ running: 0, capacity: 8 }, 0)).toEqual({
      workerId: 'w',
      epoch: 'e',
      sequence: 1,
      term: 0,
      answers: 0,
      share: 0,
      running: 0,
      capacity: 8,
      isLeaving: false,
    });
  });

  it('ignores grants to others, to a former start of its process and to heartbeats it has not sent', () => {
    beat();
    member.receive(grant({ workerId: 'other' }), 210);
    member.receive(grant({ epoch: 'former' }), 210);
    member.receive(grant({ answers: 9 }), 210);
    expect(limitAt(210)).toBe(0);
  });

  it('keeps nothing when it may not raise', () => {
    beat();
    member.receive(grant({ mayRaise: false }), 210);
    expect(limitAt(210)).toBe(0);
  });
});

describe('a lease', () => {
  it('counts from when the heartbeat was sent, however late the grant comes', () => {
    beat();
    member.receive(grant({ answers: 2 }), 900);
    expect(member.limitAt(1_099)).toEqual({ limit: 5, reason: 'leased', endsAtMs: 1_100 });
    expect(limitAt(1_100)).toBe(0);
  });

  it('is not taken when it is over on arrival', () => {
    beat();
    member.receive(grant({ term: 7, answers: 1 }), 1_000);
    member.receive(grant({ term: 2, answers: 2 }), 1_050);
    expect(limitAt(1_050)).toBe(5);
  });

  it('is replaced at once by a smaller or larger one', () => {
    beat();
    member.receive(grant({ answers: 1, share: 5 }), 210);
    member.receive(grant({ answers: 2, share: 2 }), 211);
    expect(limitAt(211)).toBe(2);
    member.receive(grant({ answers: 3, share: 7 }), 212);
    expect(limitAt(212)).toBe(7);
  });

  it('is not replaced by an answer to an earlier heartbeat, nor by the same once more', () => {
    beat();
    member.receive(grant({ answers: 3, share: 2 }), 210);
    member.receive(grant({ answers: 2, share: 9 }), 211);
    member.receive(grant({ answers: 3, share: 9 }), 212);
    expect(limitAt(212)).toBe(2);
  });

  it('is not replaced by one of a lower term, even when it is over', () => {
    beat();
    member.receive(grant({ term: 5, answers: 1, share: 2 }), 210);
    member.receive(grant({ term: 4, answers: 3, share: 9 }), 211);
    expect(limitAt(211)).toBe(2);
    member.receive(grant({ term: 4, answers: 3, share: 9 }), 1_010);
    expect(limitAt(1_010)).toBe(0);
  });

  it('is kept, cut or let run out, but not raised by a coordinator that the worker comes over to', () => {
    beat();
    member.receive(grant({ term: 1, answers: 1, share: 5 }), 210);
    member.receive(grant({ term: 2, answers: 1, share: 9, mayRaise: false }), 211);
    expect(limitAt(211)).toBe(5);
    member.receive(grant({ term: 2, answers: 2, share: 3, mayRaise: false }), 212);
    expect(limitAt(212)).toBe(3);
    member.receive(grant({ term: 2, answers: 3, share: 5, mayRaise: false }), 213);
    expect(limitAt(213)).toBe(3);
  });
});

describe('a heartbeat', () => {
  it('is due every interval, whether answered or not', () => {
    expect(member.heartbeat(IDLE, 0)?.sequence).toBe(1);
    expect(member.nextHeartbeatAtMs).toBe(100);
    expect(member.heartbeat(IDLE, 99)).toBeUndefined();
    expect(member.heartbeat(IDLE, 100)?.sequence).toBe(2);
  });

  it('is due at once when the worker has come over to another coordinator', () => {
    beat();
    member.receive(grant({ term: 3, answers: 3 }), 210);
    expect(member.heartbeat(IDLE, 210)).toMatchObject({ term: 3, answers: 3, share: 5 });
    expect(member.heartbeat(IDLE, 211)).toBeUndefined();
  });

  it('is due at once when no more run than a share that became smaller', () => {
    beat();
    member.receive(grant({ answers: 1, share: 5 }), 210);
    member.heartbeat({ running: 5, capacity: 8 }, 300);
    member.receive(grant({ answers: 4, share: 2 }), 310);
    expect(member.heartbeat({ running: 3, capacity: 8 }, 310)).toBeUndefined();
    expect(member.heartbeat({ running: 2, capacity: 8 }, 311)).toMatchObject({ share: 2, running: 2 });
    expect(member.heartbeat({ running: 1, capacity: 8 }, 312)).toBeUndefined();
  });
});

describe('a leaving member', () => {
  it('starts nothing, takes no grant, and tells at once that it leaves and that nothing runs', () => {
    beat();
    member.receive(grant({ answers: 3 }), 210);
    member.heartbeat({ running: 2, capacity: 8 }, 210);
    member.leave();
    expect(member.limitAt(211)).toEqual({ limit: 0, reason: 'leaving', endsAtMs: undefined });
    expect(member.heartbeat({ running: 2, capacity: 0 }, 211)).toMatchObject({ isLeaving: true, share: 0 });
    member.receive(grant({ answers: 5, term: 9 }), 212);
    expect(limitAt(212)).toBe(0);
    expect(member.heartbeat({ running: 0, capacity: 0 }, 213)).toMatchObject({ running: 0, term: 1 });
  });
});
