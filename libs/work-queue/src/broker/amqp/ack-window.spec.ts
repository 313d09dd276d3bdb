import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AckWindow } from './ack-window.js';

type Frame = [tag: number, isMultiple: boolean];

let window: AckWindow;

beforeEach(() => {
  window = new AckWindow();
});

function deliver(count: number): void {
  for (let tag = 1; tag <= count; tag++) window.delivered(tag);
}

function ack(...tags: number[]): void {
  for (const tag of tags) window.ack(tag);
}

function flushed(): Frame[] {
  const frames: Frame[] = [];
  window.flush((...frame) => frames.push(frame));
  return frames;
}

describe('acks', () => {
  it('of deliveries finished in order are one frame, however many', () => {
    deliver(500);
    ack(...Array.from({ length: 499 }, (_one, index) => index + 1));
    expect(window.unwritten).toBe(499);
    expect(flushed()).toEqual([[499, true]]);
    expect(window.unwritten).toBe(0);
  });

  it('never reach past a delivery that is unfinished', () => {
    deliver(6);
    ack(5, 2, 6, 1);
    expect(flushed()).toEqual([
      [2, true],
      [5, false],
      [6, false],
    ]);
  });

  it('reach past what was given back or acked on its own, and name neither', () => {
    deliver(6);
    ack(4);
    expect(flushed()).toEqual([[4, false]]);
    window.giveBack(2);
    window.giveBack(6);
    ack(1, 3, 5);
    expect(flushed()).toEqual([[5, true]]);
    expect(flushed()).toEqual([]);
  });

  it('never reach past a delivery that was never seen', () => {
    window.delivered(1);
    window.delivered(3);
    ack(1, 3);
    expect(flushed()).toEqual([
      [1, true],
      [3, false],
    ]);
  });

  it('may be of a delivery that is seen after a later one', () => {
    for (const tag of [1, 3, 2]) window.delivered(tag);
    ack(3, 2, 1);
    expect(flushed()).toEqual([[3, true]]);
  });

  it('are refused for what is finished already, or never came', () => {
    deliver(2);
    ack(1);
    window.giveBack(2);
    expect([1, 2, 3].map((tag) => window.ack(tag))).toEqual([false, false, false]);
    expect([1, 2, 3].map((tag) => window.giveBack(tag))).toEqual([false, false, false]);
    expect(flushed()).toEqual([[1, true]]);
  });

  it.each([
    [0, 4],
    [1, 2],
    [2, 1],
  ])('stay unwritten but for the frames that were taken: %s', (takenFrames, unwritten) => {
    deliver(5);
    ack(1, 2, 4, 5);
    let frames = 0;
    const failing = (): void => {
      if (frames++ === takenFrames) throw new Error('closed');
    };
    expect(() => window.flush(failing)).toThrow('closed');
    expect(window.unwritten).toBe(unwritten);
  });
});

type Step = 'delivered' | 'lost on the way' | 'flush' | { end: 'ack' | 'giveBack'; which: number };

/** The broker's side of one channel, and what its client has promised. */
class Channel {
  /** Whatever was not as it should be. */
  readonly problems: string[] = [];
  private readonly window = new AckWindow();
  private lastTag = 0;
  /** Out, in order, as the broker holds them. */
  private unsettled: number[] = [];
  /** Seen by the client and neither acked nor given back. */
  private working: number[] = [];
  /** Promised, and not settled so far. */
  private readonly due = new Set<number>();

  take(step: Step): void {
    if (step === 'flush') this.flush();
    else if (typeof step === 'object') this.end(step.end, step.which);
    else this.deliver(step === 'delivered');
    this.expectThat(this.window.unwritten === this.due.size, `${this.window.unwritten} unwritten`);
  }

  /** Some never reach the client: the library has nobody to hand them to. */
  private deliver(isSeen: boolean): void {
    this.unsettled.push(++this.lastTag);
    if (!isSeen) return;
    this.working.push(this.lastTag);
    this.window.delivered(this.lastTag);
  }

  private end(how: 'ack' | 'giveBack', which: number): void {
    const [tag] = this.working.splice(which % Math.max(1, this.working.length), 1);
    if (tag === undefined) return;
    this.expectThat(this.window[how](tag), `${how} ${tag} was refused`);
    this.expectThat(!this.window.ack(tag) && !this.window.giveBack(tag), `${tag} ended twice`);
    if (how === 'ack') this.due.add(tag);
    else this.settle(tag, false);
  }

  private flush(): void {
    const { leastFrames } = this;
    let frames = 0;
    this.window.flush((tag, isMultiple) => {
      frames++;
      for (const one of this.settle(tag, isMultiple)) {
        this.expectThat(this.due.delete(one), `${one} was settled unfinished`);
      }
    });
    this.expectThat(this.due.size === 0, `${[...this.due].join()} left`);
    this.expectThat(frames === leastFrames, `${frames} frames for ${leastFrames}`);
  }

  /** One for what may be acked together, one for each ack beyond. */
  private get leastFrames(): number {
    const firstUnfinished = this.unsettled.find((tag) => !this.due.has(tag)) ?? Infinity;
    const beyond = [...this.due].filter((tag) => tag > firstUnfinished).length;
    return beyond + (beyond < this.due.size ? 1 : 0);
  }

  /** As RabbitMQ does it: the tag must be out, so nothing is settled twice; `multiple` means it and all before. */
  private settle(tag: number, isMultiple: boolean): number[] {
    this.expectThat(this.unsettled.includes(tag), `PRECONDITION_FAILED - unknown delivery tag ${tag}`);
    const isMeant = (one: number): boolean => (isMultiple ? one <= tag : one === tag);
    const meant = this.unsettled.filter(isMeant);
    this.unsettled = this.unsettled.filter((one) => !isMeant(one));
    return meant;
  }

  private expectThat(holds: boolean, problem: string): void {
    if (!holds) this.problems.push(problem);
  }
}

describe('deliveries of one channel', () => {
  it('are settled exactly once and only when acked, in the fewest frames, whatever happens in which order', () => {
    // Mostly the oldest, as most work goes.
    const which = fc.oneof(fc.constant(0), fc.nat(50));
    const step = fc.oneof(
      { weight: 24, arbitrary: fc.constant<Step>('delivered') },
      { weight: 1, arbitrary: fc.constant<Step>('lost on the way') },
      { weight: 16, arbitrary: fc.record<Step & object>({ end: fc.constant('ack'), which }) },
      { weight: 3, arbitrary: fc.record<Step & object>({ end: fc.constant('giveBack'), which }) },
      { weight: 4, arbitrary: fc.constant<Step>('flush') },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
        const channel = new Channel();
        for (const taken of steps) channel.take(taken);
        channel.take('flush');
        expect(channel.problems).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
