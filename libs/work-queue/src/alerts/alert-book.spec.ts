import { describe, expect, it } from '@jest/globals';
import { NOTHING_KNOWN } from '../../../../test/support/pictures.js';
import fc from 'fast-check';
import { ALERT_KINDS, type QueuePicture } from './alert.js';
import { AlertBook } from './alert-book.js';
import { PATIENCE } from './thresholds.js';

/** Nothing is wrong with it. */
const WELL: QueuePicture = {
  queue: 'orders',
  atMs: 0,
  ready: 3,
  maxLength: 100,
  alertAt: 0.7,
  consumers: 2,
  isPaused: false,
  overflow: { wanted: 'reject-publish', inForce: 'reject-publish', decidedBy: 'queue argument' },
  maxLatencyMs: 1_000,
  wait: { count: 500, p99Ms: 200 },
  service: { count: 500, meanMs: 50, cv: 1 },
  declaredServiceTimeMs: 50,
  publishes: { offered: 500, shed: {} },
};

/** Everything is. */
const BAD: QueuePicture = {
  ...WELL,
  ready: 100,
  consumers: 0,
  overflow: { wanted: 'reject-publish', inForce: 'drop-head', decidedBy: 'policy "ttl"' },
  wait: { count: 500, p99Ms: 5_000 },
  service: { count: 500, meanMs: 500, cv: 1 },
  publishes: { offered: 500, shed: { 'queue-full': 400 } },
};

const UNKNOWN: QueuePicture = { ...NOTHING_KNOWN, queue: WELL.queue, atMs: WELL.atMs };

describe('the alert book', () => {
  it('raises nothing of a queue that is well, nor of one of which nothing is known', () => {
    const book = new AlertBook();
    expect(watch(book, [WELL, 600], [UNKNOWN, 600])).toEqual([]);
    expect(book.raised).toEqual([]);
  });

  it('raises each kind once, each after its own time', () => {
    expect(watch(new AlertBook(), [BAD, 600])).toEqual([
      'shedding raised at 0',
      'overflow-wrong raised at 0',
      'no-workers raised at 5',
      'queue-filling raised at 10',
      'promise-broken raised at 10',
      'service-time-off raised at 60',
    ]);
  });

  it('clears each kind once, each after its own time', () => {
    const changes = watch(new AlertBook(), [BAD, 61], [WELL, 600]);
    expect(changes.slice(6)).toEqual([
      'no-workers cleared at 71',
      'overflow-wrong cleared at 71',
      'shedding cleared at 81',
      'queue-filling cleared at 91',
      'promise-broken cleared at 91',
      'service-time-off cleared at 121',
    ]);
  });

  it('knows what is raised now, with the values of now', () => {
    const book = new AlertBook();
    const noWorkers = { ...WELL, consumers: 0 };
    watch(book, [noWorkers, 6]);
    book.look({ ...noWorkers, ready: 41, atMs: 6_000 });
    expect(book.raised).toEqual([
      {
        kind: 'no-workers',
        queue: 'orders',
        raisedAtMs: 5_000,
        message: expect.stringContaining('41 ready'),
      },
    ]);
    book.look({ ...UNKNOWN, atMs: 7_000 });
    expect(book.raised[0]?.message).toContain('41 ready');
  });

  it('says in a cleared alert how things are now, and when it was raised', () => {
    const book = new AlertBook();
    book.look({ ...WELL, publishes: { offered: 10, shed: { 'queue-full': 10 } } });
    const changes = [1, 21].map((second) => book.look({ ...WELL, atMs: second * 1_000 }));
    // Looked at too seldom: what was under at 1 s may not have been all the time.
    expect(changes.flat()).toEqual([]);
    for (let second = 22; second < 41; second++)
      expect(book.look({ ...WELL, atMs: second * 1_000 })).toEqual([]);
    expect(book.look({ ...WELL, atMs: 41_000 })).toEqual([
      {
        change: 'cleared',
        alert: {
          kind: 'shedding',
          queue: 'orders',
          raisedAtMs: 0,
          message: 'queue orders sheds nothing (500 offered in the last 10 s)',
        },
      },
    ]);
  });

  it('says nothing of missing workers while the queue is paused, and clears it when it is', () => {
    const book = new AlertBook();
    const none = { ...WELL, consumers: 0 };
    expect(
      watch(book, [{ ...none, isPaused: true }, 60], [none, 6], [{ ...none, isPaused: true }, 11]),
    ).toEqual(['no-workers raised at 65', 'no-workers cleared at 76']);
  });

  it('keeps queues apart', () => {
    const book = new AlertBook();
    book.look(BAD);
    expect(book.look({ ...WELL, queue: 'mails' })).toEqual([]);
    expect(new Set(book.raised.map(({ queue }) => queue))).toEqual(new Set(['orders']));
  });

  it('clears what was raised of a queue that is not watched any more', () => {
    const book = new AlertBook();
    book.look(BAD);
    expect(
      book.forget('orders').map(({ change, alert }) => `${alert.kind} ${change}: ${alert.message}`),
    ).toEqual([
      'shedding cleared: queue orders is not watched any more',
      'overflow-wrong cleared: queue orders is not watched any more',
    ]);
    expect(book.raised).toEqual([]);
    expect(book.forget('orders')).toEqual([]);
  });

  it('watches no more queues than it may, until it forgets one', () => {
    const book = new AlertBook(1);
    book.look(WELL);
    expect(book.look({ ...BAD, queue: 'mails' })).toEqual([]);
    book.forget('orders');
    expect(book.look({ ...BAD, queue: 'mails' })).not.toEqual([]);
  });

  it('never raises a kind twice without clearing it, nor sooner than its times allow', () => {
    const stretch = fc.tuple(fc.constantFrom(WELL, BAD, UNKNOWN), fc.nat(130));
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 12 }), (stretches) => {
        const changes = watch(new AlertBook(), ...stretches).map((change) => change.split(' '));
        for (const kind of ALERT_KINDS) {
          const own = changes.filter(([of]) => of === kind);
          expect(own.map(([, what]) => what)).toEqual(
            own.map((_, index) => (index % 2 === 0 ? 'raised' : 'cleared')),
          );
          const raisedAtMs = own
            .filter(([, what]) => what === 'raised')
            .map(([, , , at]) => Number(at) * 1_000);
          const apartMs = raisedAtMs.slice(1).map((atMs, index) => atMs - (raisedAtMs[index] ?? 0));
          const leastMs = PATIENCE[kind].raiseAfterMs + PATIENCE[kind].clearAfterMs;
          expect(apartMs.filter((ms) => ms < leastMs)).toEqual([]);
        }
      }),
    );
  });

  it('has raised exactly what it told and did not take back', () => {
    const stretch = fc.tuple(fc.constantFrom(WELL, BAD, UNKNOWN), fc.nat(130));
    fc.assert(
      fc.property(fc.array(stretch, { maxLength: 8 }), (stretches) => {
        const book = new AlertBook();
        const told = new Set<string>();
        for (const change of watch(book, ...stretches)) {
          const [kind = '', what] = change.split(' ');
          if (what === 'raised') told.add(kind);
          else told.delete(kind);
        }
        expect(new Set(book.raised.map(({ kind }) => kind))).toEqual(told);
      }),
    );
  });
});

/** Shows the book each picture once a second, for that many seconds. @returns what it told, and at which second */
function watch(book: AlertBook, ...stretches: ReadonlyArray<readonly [QueuePicture, number]>): string[] {
  const pictures = stretches.flatMap(([picture, seconds]) => Array<QueuePicture>(seconds).fill(picture));
  return pictures.flatMap((picture, second) =>
    book
      .look({ ...picture, atMs: second * 1_000 })
      .map(({ change, alert }) => `${alert.kind} ${change} at ${second}`),
  );
}
