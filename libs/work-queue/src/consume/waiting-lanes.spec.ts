import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Lane } from './delivery.js';
import { WaitingLanes } from './waiting-lanes.js';

interface Item {
  readonly lane: Lane;
  readonly id: number;
}

function lanesWith(...ids: readonly string[]) {
  const lanes = new WaitingLanes<Item>();
  for (const id of ids) lanes.add(itemOf(id));
  return lanes;
}

const ALL: readonly Lane[] = ['work', 'due', 'alone'];
const LANES: Readonly<Record<string, Lane>> = { w: 'work', d: 'due', a: 'alone' };

/** `w1`: the first of the work queue, `d1`: of the due queue, `a1`: of what runs alone. */
function itemOf(id: string): Item {
  return { lane: LANES[id.charAt(0)] ?? 'work', id: Number(id.slice(1)) };
}

function named({ lane, id }: Item): string {
  return `${lane.charAt(0)}${id}`;
}

function takeAll(lanes: WaitingLanes<Item>): string[] {
  const taken: string[] = [];
  for (let { first } = lanes; first; { first } = lanes) {
    taken.push(named(first));
    lanes.take(1);
  }
  return taken;
}

describe('what waits in three lanes', () => {
  it('takes turns while all have something, each lane in order of arrival', () => {
    const lanes = lanesWith('a1', 'a2', 'd1', 'd2', 'd3', 'w1', 'w2', 'w3', 'w4');
    expect(takeAll(lanes).join(' ')).toBe('w1 d1 a1 w2 d2 a2 w3 d3 w4');
  });

  it('takes turns between those that have something', () => {
    expect(takeAll(lanesWith('w1', 'w2', 'a1', 'a2', 'a3'))).toEqual(['w1', 'a1', 'w2', 'a2', 'a3']);
    expect(takeAll(lanesWith('a1', 'd1', 'd2'))).toEqual(['d1', 'a1', 'd2']);
  });

  it('takes turns again with due work that comes after a while of new work only', () => {
    const lanes = lanesWith('w1', 'w2', 'w3');
    lanes.take(2);
    lanes.add(itemOf('d1'));
    expect(takeAll(lanes)).toEqual(['d1', 'w3']);
  });

  it('is nothing when it is empty', () => {
    const lanes = lanesWith();
    lanes.take(3);
    expect([lanes.first, lanes.count, lanes.oldest, lanes.next(3)]).toEqual([undefined, 0, [], []]);
  });

  it('names the oldest of each lane, whoever’s turn it is', () => {
    expect(lanesWith('a1', 'w1', 'w2', 'd1').oldest.map(named)).toEqual(['w1', 'd1', 'a1']);
    expect(lanesWith('d1', 'd2').oldest.map(named)).toEqual(['d1']);
  });

  it('hands over what matches, of all lanes, and keeps the rest in order', () => {
    const lanes = lanesWith('w1', 'w2', 'w3', 'd1', 'd2', 'a1', 'a2');
    expect(lanes.takeAll(({ id }) => id === 2).map(named)).toEqual(['w2', 'd2', 'a2']);
    expect(lanes.count).toBe(4);
    expect(takeAll(lanes)).toEqual(['w1', 'd1', 'a1', 'w3']);
  });

  it('lets the others go on while one is held, and counts that with them', () => {
    const lanes = lanesWith('w1', 'w2', 'd1', 'd2', 'a1');
    lanes.hold('work');
    expect([lanes.count, lanes.oldest.map(named), lanes.next(5).map(named)]).toEqual([
      5,
      ['d1', 'a1'],
      ['d1', 'a1', 'd2'],
    ]);
    expect(takeAll(lanes)).toEqual(['d1', 'a1', 'd2']);
    lanes.add(itemOf('w3'));
    expect([lanes.first, lanes.count]).toEqual([undefined, 3]);
    lanes.release('work');
    expect(takeAll(lanes)).toEqual(['w1', 'w2', 'w3']);
  });

  it('takes and names nothing of what is held, but hands it over', () => {
    const lanes = lanesWith('w1', 'd1');
    lanes.hold('work');
    lanes.hold('due');
    lanes.take(2);
    expect([lanes.first, lanes.oldest, lanes.next(2), lanes.count]).toEqual([undefined, [], [], 2]);
    expect(lanes.takeAll(() => true).map(named)).toEqual(['w1', 'd1']);
  });

  it('says beforehand exactly what comes next, and takes nothing by that', () => {
    const counts = fc.array(fc.nat(5), { maxLength: 10 });
    const sizes = fc.record({ work: fc.nat(8), due: fc.nat(8), alone: fc.nat(8) });
    fc.assert(
      fc.property(sizes, fc.subarray([...ALL]), counts, (size, held, takes) => {
        const lanes = new WaitingLanes<Item>();
        for (const lane of ALL) for (let id = 0; id < size[lane]; id++) lanes.add({ lane, id });
        for (const lane of held) lanes.hold(lane);
        const kept = held.reduce((sum, lane) => sum + size[lane], 0);
        for (const count of takes) {
          const { count: before, first } = lanes;
          const next = lanes.next(count);
          expect([lanes.count, lanes.first]).toEqual([before, first]);
          expect(next).toHaveLength(Math.min(count, before - kept));
          for (const item of next) {
            expect(lanes.first).toBe(item);
            lanes.take(1);
          }
        }
      }),
    );
  });
});
