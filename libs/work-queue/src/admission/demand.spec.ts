import { describe, expect, it } from '@jest/globals';
import { Demand } from './demand.js';

function offer(demand: Demand, now: number, offered: number, accepted: number): void {
  for (let count = 0; count < offered; count++) demand.offered(now);
  for (let count = 0; count < accepted; count++) demand.accepted(now);
}

describe('the demand', () => {
  it('is 1 when nothing was offered, or everything accepted', () => {
    const demand = new Demand();
    expect(demand.ratio(0)).toBe(1);
    offer(demand, 0, 10, 10);
    expect(demand.ratio(0)).toBe(1);
  });

  it('is how many times more is offered than accepted', () => {
    const demand = new Demand();
    offer(demand, 0, 300, 100);
    offer(demand, 1_500, 300, 100);
    expect(demand.ratio(2_000)).toBe(3);
  });

  it('is unknown while nothing of what is offered is accepted', () => {
    const demand = new Demand();
    offer(demand, 0, 50, 0);
    expect(demand.ratio(0)).toBeUndefined();
  });

  it('forgets what is older than ten seconds', () => {
    const demand = new Demand();
    offer(demand, 500, 300, 100);
    expect(demand.ratio(9_999)).toBe(3);
    expect(demand.ratio(10_000)).toBe(1);
    offer(demand, 10_500, 20, 10);
    expect(demand.ratio(10_500)).toBe(2);
  });
});
