import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  fakeableTimers,
  fakeTimeInEachTest,
  RecordingTelemetry,
  settled,
} from '../../../../test/support/fake-broker.js';
import { FakeStream, type FakeStreamConnection } from '../../../../test/support/fake-stream.js';
import { encodeEntry, encodeMarker, type PlanEntry, type PlanOverrides } from './plan-entry.js';
import type { PlacedEntry } from './plan-fold.js';
import type { PlanStore } from './plan-in-force.js';
import type { PlanLog, PlanLogOptions } from './plan-log.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const planLog = await import('./plan-log.js');

const APPEND_TIMEOUT_MS = 10_000;

const closeAfterwards = fakeTimeInEachTest();

let stream: FakeStream;
let lastId: number;

beforeEach(() => {
  stream = new FakeStream();
  lastId = 0;
});

interface Process {
  readonly connection: FakeStreamConnection;
  readonly telemetry: RecordingTelemetry;
  readonly log: PlanLog;
  /** Changes that came into force, in words. */
  readonly heard: string[];
}

function open(options: PlanLogOptions = {}): Process {
  const connection = stream.connect();
  const telemetry = new RecordingTelemetry();
  const newId = (): string => `id-${++lastId}`;
  const log = new planLog.PlanLog(connection, telemetry, {
    newId,
    now: () => 7,
    random: () => 0,
    ...options,
  });
  const heard: string[] = [];
  log.onChange(({ entry }) => heard.push(entry.change));
  closeAfterwards(() => log.close());
  return { connection, telemetry, log, heard };
}

async function start(options: PlanLogOptions = {}): Promise<Process> {
  const opened = open(options);
  const started = opened.log.start();
  await pass(0);
  await started;
  return opened;
}

/** Lets everything happen that can within the time. */
async function pass(ms: number): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await settled();
  await jest.advanceTimersByTimeAsync(ms);
  for (let turn = 0; turn < 10; turn++) await settled();
}

function change(words: string, apply: (current: PlanOverrides) => PlanOverrides = (current) => current) {
  return { author: 'ada', reason: 'slow', change: words, apply };
}

function setting(queue: string, prefetch: number) {
  return change(`${queue} ${prefetch}`, (current) => ({ ...current, [queue]: { prefetch } }));
}

async function set({ log }: Process, queue: string, prefetch: number): Promise<PlacedEntry> {
  const appended = log.append(setting(queue, prefetch));
  await pass(0);
  return appended;
}

/** How an append ended, which it must have. */
async function errorOf(appended: Promise<PlacedEntry>): Promise<Error> {
  return appended.then(
    ({ entry }) => new Error(`it succeeded: ${entry.change}`),
    (error) => error,
  );
}

function entryOn(basedOn: number, words: string, more: Partial<PlanEntry> = {}): Buffer {
  const texts = { id: words, logId: 'log-1', author: 'bob', reason: 'slow', change: words };
  return encodeEntry({ ...texts, basedOn, at: 7, overrides: {}, ...more });
}

class MemoryStore implements PlanStore {
  constructor(public plan?: PlacedEntry) {}
  load = async (): Promise<PlacedEntry | undefined> => this.plan;
  save = async (plan: PlacedEntry): Promise<void> => void (this.plan = plan);
}

async function historyOf({ log }: Process, limit = 100): Promise<string[]> {
  return (await log.history(limit)).map(({ entry }) => entry.change);
}

describe('a process that starts', () => {
  it('makes the stream with a retention of ten thousand entries of 8 KB', async () => {
    const { connection } = await start();
    const [[name, queueArguments] = []] = connection.declared;
    expect(name).toBe('spillway.plan');
    const { 'x-max-length-bytes': limit = 0, 'x-stream-max-segment-size-bytes': segment = 0 } =
      Object(queueArguments);
    expect(queueArguments).toMatchObject({ 'x-queue-type': 'stream' });
    expect(limit - segment).toBeGreaterThan(10_000 * 8_500);
  });

  it('knows an empty log by a marker of its own, and leaves none where there is a plan', async () => {
    const first = await start();
    expect(first.log.current).toBeUndefined();
    expect(stream.bodies).toHaveLength(1);
    await set(first, 'orders', 1);
    const second = await start();
    expect(second.log.current?.entry.change).toBe('orders 1');
    expect(stream.bodies).toHaveLength(2);
  });

  it('finds the plan behind what is no entry, and behind the losers of a race', async () => {
    stream.append(entryOn(-1, 'first'));
    stream.append(entryOn(0, 'second'));
    stream.append(entryOn(0, 'beaten'));
    expect((await start()).log.current?.entry.change).toBe('second');
    stream.append(encodeMarker('n'));
    stream.append('garbage');
    expect((await start()).log.current?.entry.change).toBe('second');
  });

  it('takes the newest of several entries in one chunk, and hears of no other', async () => {
    stream.append(entryOn(-1, 'first'));
    stream.append(entryOn(0, 'second'), entryOn(1, 'third'), entryOn(2, 'fourth'));
    const { log, heard } = await start();
    expect(log.current?.entry.change).toBe('fourth');
    expect(heard).toEqual(['fourth']);
  });

  it('is not deceived by an entry of another log that came late', async () => {
    stream.append(entryOn(-1, 'first'));
    stream.append(entryOn(0, 'second'));
    stream.append(entryOn(1, 'stale', { logId: 'log-0' }));
    expect((await start()).log.current?.entry.change).toBe('second');
    stream.append(entryOn(0, 'beaten'));
    stream.append(entryOn(3, 'stale', { logId: 'log-0' }));
    expect((await start()).log.current?.entry.change).toBe('second');
  });

  it('reads a log of which retention has removed the front, and one with gaps', async () => {
    stream.append(entryOn(-1, 'first'));
    stream.skipOffset();
    stream.append(entryOn(0, 'second'));
    stream.append(entryOn(0, 'beaten'));
    stream.append(entryOn(2, 'third'));
    stream.truncate(2);
    const late = await start();
    expect(late.log.current?.entry.change).toBe('third');
    expect(await historyOf(late)).toEqual(['third']);
    await set(late, 'orders', 1);
    expect(await historyOf(await start())).toEqual(['orders 1', 'third']);
  });

  it('goes by the plan of its cache until the log is read, and follows though its start was given up', async () => {
    const writer = await start();
    const before = await set(writer, 'orders', 1);
    const late = open({ cache: new MemoryStore(before) });
    late.connection.lose();
    const starting = new AbortController();
    const started = late.log.start(starting.signal);
    started.catch(() => undefined);
    await pass(0);
    expect(late.log.current).toEqual(before);
    starting.abort(new Error('too long'));
    await expect(started).rejects.toThrow('too long');
    const after = await set(writer, 'orders', 2);
    late.connection.comeBack();
    await pass(5_000);
    expect(late.log.current).toEqual(after);
    expect(late.heard).toEqual(['orders 1', 'orders 2']);
  });

  it('fails to start when it is closed before', async () => {
    const late = open();
    late.connection.lose();
    const started = late.log.start();
    started.catch(() => undefined);
    await pass(0);
    await late.log.close();
    await expect(started).rejects.toThrow('the plan log was closed');
  });
});

describe('a process that was away', () => {
  it('has the plan as it is, and hears of that alone', async () => {
    const [writer, away] = [await start(), await start()];
    await set(writer, 'orders', 1);
    away.connection.lose('gone');
    for (const prefetch of [2, 3, 4]) await set(writer, 'orders', prefetch);
    expect(away.log.current?.entry.change).toBe('orders 1');
    away.connection.comeBack();
    await pass(100);
    expect(away.heard).toEqual(['orders 1', 'orders 4']);
    expect(away.telemetry.named('plan.lost')).toMatchObject([{ reason: 'Error: gone', retryInMs: 100 }]);
    expect(away.telemetry.named('plan.following').map(({ offset }) => offset)).toEqual([undefined, 4]);
    expect(await historyOf(away, 2)).toEqual(['orders 4', 'orders 3']);
  });

  it('tries again more and more slowly', async () => {
    const away = await start();
    away.connection.beforeOpen = () => Promise.reject(new Error('no channels left'));
    away.connection.lose();
    away.connection.comeBack();
    await pass(26_000);
    expect(away.telemetry.named('plan.lost').map(({ retryInMs }) => retryInMs)).toEqual([
      100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000,
    ]);
    away.connection.beforeOpen = () => Promise.resolve();
    await pass(5_000);
    away.connection.lose();
    await pass(0);
    expect(away.telemetry.named('plan.lost').at(-1)).toMatchObject({ retryInMs: 100 });
  });

  it('is not misled by a node that lags behind', async () => {
    const [writer, away] = [await start(), await start()];
    for (const prefetch of [1, 2, 3]) await set(writer, 'orders', prefetch);
    away.connection.lose();
    stream.lagging = 3;
    away.connection.comeBack();
    await pass(100);
    expect(away.heard).toEqual(['orders 1', 'orders 2', 'orders 3']);
    expect(away.telemetry.named('plan.replaced')).toEqual([]);
    expect(away.telemetry.named('plan.kept')).toEqual([]);
  });

  it('goes back with a log that lost its end, so that all agree, and says so', async () => {
    const [writer, away] = [await start(), await start()];
    for (const prefetch of [1, 2, 3]) await set(writer, 'orders', prefetch);
    for (const { connection } of [writer, away]) connection.lose();
    stream.rewind(2);
    for (const { connection } of [writer, away]) connection.comeBack();
    await pass(100);
    for (const { log, telemetry } of [writer, away, await start()]) {
      expect(log.current?.entry.change).toBe('orders 1');
      const replaced = telemetry.named('plan.replaced');
      expect(replaced).toMatchObject(
        replaced.length > 0 ? [{ reason: 'rewound', knownOffset: 3, offset: 1 }] : [],
      );
    }
    expect(writer.telemetry.named('plan.replaced')).toHaveLength(1);
    await set(writer, 'orders', 4);
    expect(away.log.current?.entry.change).toBe('orders 4');
  });
});

describe('a stream that is deleted', () => {
  it('leaves the plan in force, as the base of the next change, which all take', async () => {
    const [writer, reader] = [await start(), await start()];
    const { offset, entry } = await set(writer, 'orders', 1);
    stream.delete();
    await pass(100);
    expect(reader.log.current?.entry.change).toBe('orders 1');
    expect(reader.telemetry.named('plan.kept')).toMatchObject([{ offset, id: entry.id }]);
    const placed = await set(writer, 'photos', 2);
    expect(placed.entry).toMatchObject({
      basedOn: -1,
      overrides: { orders: { prefetch: 1 }, photos: { prefetch: 2 } },
    });
    expect(reader.log.current).toEqual(placed);
    expect(reader.telemetry.named('plan.replaced')).toMatchObject([{ reason: 'new-log' }]);
  });
});

describe('a cached plan', () => {
  it('is saved with each change, and beats an empty stream', async () => {
    const cache = new MemoryStore();
    const first = await start({ cache });
    const placed = await set(first, 'orders', 1);
    expect(cache.plan).toEqual(placed);
    stream.delete();
    const second = await start({ cache });
    expect(second.log.current).toEqual(placed);
    expect(second.telemetry.named('plan.kept')).toHaveLength(1);
  });

  it('gives way to whatever another log says', async () => {
    stream.append(entryOn(-1, 'other log'));
    const cached = { offset: 9, entry: JSON.parse(entryOn(8, 'cached', { logId: 'log-0' }).toString()) };
    const { log, telemetry } = await start({ cache: new MemoryStore(cached) });
    expect(log.current?.entry.change).toBe('other log');
    expect(telemetry.named('plan.replaced')).toEqual([
      { name: 'plan.replaced', stream: 'spillway.plan', reason: 'new-log', knownOffset: 9, offset: 0 },
    ]);
  });
});

describe('a listener of the plan', () => {
  it('that throws keeps nobody else from hearing, and stops when it is told', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { log, heard, ...rest } = await start();
    log.onChange(() => {
      throw new Error('defect');
    });
    const later: string[] = [];
    const stop = log.onChange(({ entry }) => later.push(entry.change));
    await set({ log, heard, ...rest }, 'orders', 1);
    stop();
    await set({ log, heard, ...rest }, 'orders', 2);
    expect(later).toEqual(['orders 1']);
    expect(heard).toEqual(['orders 1', 'orders 2']);
    expect(warn).toHaveBeenCalledWith('a listener of the plan threw: Error: defect');
    warn.mockRestore();
  });
});

describe('a change', () => {
  it('is in the log and in force when it succeeds', async () => {
    const writer = await start();
    const placed = await set(writer, 'orders', 1);
    expect(placed).toMatchObject({ offset: 1, entry: { basedOn: -1, author: 'ada', reason: 'slow', at: 7 } });
    expect(writer.log.current).toEqual(placed);
    expect(writer.telemetry.named('plan.changed')).toMatchObject([{ id: placed.entry.id, author: 'ada' }]);
  });

  it('that loses a race is applied again to what won', async () => {
    const [ada, bob] = [await start(), await start()];
    const both = [ada.log.append(setting('orders', 1)), bob.log.append(setting('photos', 2))];
    await pass(100);
    const [first, second] = await Promise.all(both);
    expect(first?.entry.overrides).toEqual({ orders: { prefetch: 1 } });
    expect(second?.entry.overrides).toEqual({ orders: { prefetch: 1 }, photos: { prefetch: 2 } });
    expect(await historyOf(ada)).toEqual(['photos 2', 'orders 1']);
  });

  it('that always loses fails in the end, and says that nothing was changed', async () => {
    const writer = await start();
    let last = -1;
    // Another is always a moment faster.
    stream.fate = () => {
      const basedOn = last;
      last = (stream.entries.at(-1)?.offset ?? -1) + 1;
      stream.append(entryOn(basedOn, 'faster'));
      return 'acked';
    };
    const error = errorOf(writer.log.append(setting('orders', 1)));
    await pass(60_000);
    expect(await error).toMatchObject({
      code: 'WQ_PLAN_CONFLICT',
      message:
        'spillway.plan: 20 attempts did not succeed, since other changes came first or the broker refused; nothing was changed',
    });
    expect(new Set(await historyOf(writer))).toEqual(new Set(['faster']));
  });

  it('that the broker refuses is repeated, and succeeds when it takes it', async () => {
    const writer = await start();
    const fates = ['nacked', 'nacked', 'acked'] as const;
    let attempt = 0;
    stream.fate = () => fates[attempt++] ?? 'acked';
    const appended = writer.log.append(setting('orders', 1));
    await pass(100);
    expect((await appended).entry.change).toBe('orders 1');
    expect(attempt).toBe(3);
  });

  it('that is stored though its confirm is lost is made once', async () => {
    const writer = await start();
    stream.fate = () => 'stored-and-lost';
    expect((await set(writer, 'orders', 1)).entry.change).toBe('orders 1');
    stream.fate = () => 'acked';
    await set(writer, 'orders', 2);
    expect(await historyOf(writer)).toEqual(['orders 2', 'orders 1']);
  });

  it.each(['stored', 'gone'] as const)('that was %s when its connection went is made once', async (what) => {
    const writer = await start();
    await set(writer, 'orders', 1);
    stream.fate = (message) => {
      stream.fate = () => 'acked';
      if (what === 'stored') stream.append(message.body);
      writer.connection.lose();
      return 'silent';
    };
    const appended = writer.log.append(setting('orders', 2));
    const then = appended.then(() => writer.log.current);
    await pass(100);
    writer.connection.comeBack();
    await pass(1_000);
    expect(await then).toEqual(await appended);
    expect(await historyOf(writer)).toEqual(['orders 2', 'orders 1']);
  });

  it('that others built on while its connection was away is found to be made', async () => {
    const [writer, other] = [await start(), await start()];
    stream.fate = (message) => {
      stream.fate = () => 'acked';
      writer.connection.lose();
      stream.append(message.body);
      return 'silent';
    };
    const appended = writer.log.append(setting('orders', 1));
    const then = appended.then(() => writer.log.current?.entry.change);
    await pass(0);
    await set(other, 'orders', 2);
    await set(other, 'orders', 3);
    writer.connection.comeBack();
    await pass(1_000);
    expect((await appended).entry.change).toBe('orders 1');
    expect(await then).toBe('orders 3');
    expect(await historyOf(writer)).toEqual(['orders 3', 'orders 2', 'orders 1']);
  });

  it('that went down with the stream is made in the next', async () => {
    const writer = await start();
    await set(writer, 'orders', 1);
    stream.fate = () => {
      stream.fate = () => 'acked';
      stream.delete();
      return 'silent';
    };
    const appended = writer.log.append(setting('photos', 2));
    await pass(1_000);
    expect((await appended).entry).toMatchObject({ basedOn: -1, change: 'photos 2' });
    expect(writer.log.current?.entry.overrides).toEqual({ orders: { prefetch: 1 }, photos: { prefetch: 2 } });
  });

  it('that strayed into the next stream is made there again, on what that says', async () => {
    const writer = await start();
    await set(writer, 'orders', 1);
    stream.fate = ({ body }) => {
      stream.fate = () => 'acked';
      writer.connection.lose();
      stream.delete();
      stream.append(entryOn(-1, 'other log'));
      stream.skipOffset();
      stream.append(body);
      return 'silent';
    };
    const appended = writer.log.append(setting('photos', 2));
    await pass(100);
    writer.connection.comeBack();
    await pass(1_000);
    expect((await appended).entry).toMatchObject({ basedOn: 0, logId: 'log-1' });
    expect(writer.log.current?.entry.overrides).toEqual({ photos: { prefetch: 2 } });
  });

  it('that was lost on its way may come into force yet, whatever became of its repeats', async () => {
    const writer = await start();
    stream.fate = () => {
      stream.fate = () => 'nacked';
      return 'lost';
    };
    const error = errorOf(writer.log.append(setting('orders', 1)));
    await pass(60_000);
    expect(await error).toMatchObject({ code: 'WQ_PLAN_OUTCOME_UNKNOWN' });
  });

  it('that the broker never answers to may come into force yet, and the error says so', async () => {
    const writer = await start();
    let kept = encodeMarker('none');
    stream.fate = ({ body }) => {
      kept = body;
      return 'silent';
    };
    const error = errorOf(writer.log.append(setting('orders', 1)));
    await pass(APPEND_TIMEOUT_MS);
    expect(await error).toMatchObject({
      code: 'WQ_PLAN_OUTCOME_UNKNOWN',
      message: expect.stringContaining('the change id-2 was sent and may be in force or come into force yet'),
    });
    stream.append(kept);
    await pass(0);
    expect(writer.log.current?.entry).toMatchObject({ id: 'id-2', change: 'orders 1' });
  });

  it('that could not be sent was not made, and the error says so', async () => {
    const writer = await start();
    writer.connection.lose();
    const error = errorOf(writer.log.append(setting('orders', 1)));
    await pass(APPEND_TIMEOUT_MS);
    expect(await error).toMatchObject({
      code: 'WQ_PLAN_UNAVAILABLE',
      message: 'spillway.plan: there was no answer within 10000 ms; nothing was changed',
    });
  });

  it('that fails to apply ends with that, and is not sent', async () => {
    const writer = await start();
    const refuse = (): PlanOverrides => {
      throw new Error('prefetch below concurrency');
    };
    const error = errorOf(writer.log.append(change('orders', refuse)));
    await pass(0);
    expect((await error).message).toBe('prefetch below concurrency');
    expect(stream.bodies).toHaveLength(1);
  });

  it('that nobody could read is not sent', async () => {
    const writer = await start();
    for (const wrong of [{ author: '' }, { reason: 'x'.repeat(1_001) }]) {
      const error = errorOf(writer.log.append({ ...setting('orders', 1), ...wrong }));
      await pass(0);
      expect(await error).toMatchObject({ code: 'WQ_PLAN_INVALID' });
    }
    expect(stream.bodies).toHaveLength(1);
  });

  it.each([
    ['acked', 'WQ_PLAN_UNAVAILABLE'],
    ['silent', 'WQ_PLAN_OUTCOME_UNKNOWN'],
  ] as const)('that waits when the log is closed fails: %s', async (fate, code) => {
    const writer = await start();
    stream.fate = () => fate;
    if (fate === 'acked') writer.connection.lose();
    const error = errorOf(writer.log.append(setting('orders', 1)));
    await pass(0);
    await writer.log.close();
    await pass(0);
    expect(await error).toMatchObject({ code });
    expect(await errorOf(writer.log.append(setting('orders', 1)))).toMatchObject({
      code: 'WQ_PLAN_UNAVAILABLE',
    });
  });
});

describe('a history', () => {
  it('fails when the log is not read in time', async () => {
    const reader = await start();
    reader.connection.lose();
    const error = reader.log.history(10).catch((thrown: unknown) => thrown);
    await pass(10_000);
    expect(await error).toMatchObject({ code: 'WQ_PLAN_UNAVAILABLE' });
  });

  it('fails when the connection goes meanwhile', async () => {
    const reader = await start();
    reader.connection.prepare = () => reader.connection.lose('gone meanwhile');
    reader.connection.beforeOpen = async () => reader.connection.lose('gone meanwhile');
    await expect(reader.log.history(10)).rejects.toMatchObject({
      code: 'WQ_PLAN_UNAVAILABLE',
      message: 'spillway.plan: the history could not be read',
    });
  });
});
