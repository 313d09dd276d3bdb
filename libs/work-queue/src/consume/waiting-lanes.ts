import type { Lane } from './delivery.js';

export interface LaneItem {
  readonly lane: Lane;
}

const LANES: readonly Lane[] = ['work', 'due', 'alone'];
const NONE_PASSED: Readonly<Record<Lane, number>> = { work: 0, due: 0, alone: 0 };

/**
 * What was delivered and has not started, a line for each lane. While several have something they take turns: work that
 * is due again is neither starved by new work nor let past it.
 */
export class WaitingLanes<Item extends LaneItem> {
  private readonly lines: Record<Lane, Item[]> = { work: [], due: [], alone: [] };
  private readonly held = new Set<Lane>();
  private last: Lane = 'alone';

  /** All that waits. */
  get count(): number {
    return LANES.reduce((count, lane) => count + this.lines[lane].length, 0);
  }

  add(item: Item): void {
    this.lines[item.lane].push(item);
  }

  /** Nothing of this lane is the next, until it is released. */
  hold(lane: Lane): void {
    this.held.add(lane);
  }

  release(lane: Lane): void {
    this.held.delete(lane);
  }

  /** The one whose turn it is. */
  get first(): Item | undefined {
    const lane = this.laneAfter(this.last);
    return lane && this.lines[lane][0];
  }

  /** Up to so many of the next ones in turn, without taking them. */
  next(count: number): Item[] {
    const items: Item[] = [];
    const passed = { ...NONE_PASSED };
    let lane = this.laneAfter(this.last);
    while (lane && items.length < count) {
      const item = this.lines[lane][passed[lane]++];
      if (item) items.push(item);
      lane = this.laneAfter(lane, passed);
    }
    return items;
  }

  /** Takes so many of the next ones in turn. */
  take(count: number): void {
    for (let left = count; left > 0; left--) {
      const lane = this.laneAfter(this.last);
      if (!lane) return;
      this.last = lane;
      this.lines[lane].shift();
    }
  }

  /** The first of each lane that is not held. */
  get oldest(): readonly Item[] {
    return LANES.flatMap((lane) => (this.held.has(lane) ? [] : this.lines[lane].slice(0, 1)));
  }

  takeAll(matches: (item: Item) => boolean): Item[] {
    const taken: Item[] = [];
    for (const lane of LANES) {
      const kept: Item[] = [];
      for (const item of this.lines[lane]) (matches(item) ? taken : kept).push(item);
      this.lines[lane] = kept;
    }
    return taken;
  }

  /** The next lane in turn that has more than was passed; the same one again when it is the only one. */
  private laneAfter(last: Lane, passed = NONE_PASSED): Lane | undefined {
    const place = LANES.indexOf(last);
    for (let step = 1; step <= LANES.length; step++) {
      const lane = LANES[(place + step) % LANES.length];
      if (lane && this.lines[lane].length > passed[lane] && !this.held.has(lane)) return lane;
    }
    return undefined;
  }
}
