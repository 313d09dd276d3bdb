import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import type { ReconnectingConnection } from '../../libs/work-queue/src/broker/reconnecting-connection.js';
import { PlanCache } from '../../libs/work-queue/src/control/plan-cache.js';
import type { PlacedEntry } from '../../libs/work-queue/src/control/plan-fold.js';
import { PlanLog, type PlanLogOptions } from '../../libs/work-queue/src/control/plan-log.js';
import { RecordingTelemetry } from '../support/fake-broker.js';
import { appendSerially, connectTo } from '../support/stream-broker.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { closeConnections } from '../support/worker-broker.js';

const STREAM = 'spillway.plan';

/** A process with a plan log, and what it heard. */
interface Process {
  readonly name: string;
  readonly connection: ReconnectingConnection;
  readonly log: PlanLog;
  readonly telemetry: RecordingTelemetry;
}

let vhost: TestVhost;
const processes: Process[] = [];

beforeEach(async () => {
  vhost = await createVhost();
});

afterEach(async () => {
  await Promise.all(processes.splice(0).map(stop));
  await vhost.delete();
});

async function open(options: PlanLogOptions = {}): Promise<Process> {
  const name = `plan ${randomUUID()}`;
  const telemetry = new RecordingTelemetry();
  const connection = await connectTo(vhost.url, name);
  const opened = { name, connection, telemetry, log: new PlanLog(connection, telemetry, options) };
  processes.push(opened);
  return opened;
}

async function start(options: PlanLogOptions = {}): Promise<Process> {
  const opened = await open(options);
  await opened.log.start();
  return opened;
}

async function stop({ log, connection }: Process): Promise<void> {
  await log.close();
  await connection.close();
}

/** Overrides one option of one queue, and leaves the rest as it is. */
function set({ log }: Process, queue: string, option: string, value: unknown): Promise<PlacedEntry> {
  return log.append({
    author: 'ada',
    reason: 'the database is slow',
    change: `${queue}: ${option} ${String(value)}`,
    apply: (current) => ({ ...current, [queue]: { ...current[queue], [option]: value } }),
  });
}

/** Resolves when the process goes by this plan. */
async function takes({ log }: Process, { entry }: PlacedEntry, timeoutMs = 10_000): Promise<void> {
  const isTaken = (): boolean => log.current?.entry.id === entry.id;
  await until(async () => (isTaken() ? undefined : `goes by ${log.current?.entry.change}`), timeoutMs);
}

async function changesOf({ log }: Process): Promise<string[]> {
  return (await log.history(100_000)).map(({ entry }) => entry.change).reverse();
}

async function deleteStream(): Promise<void> {
  const model = await connect(vhost.url);
  await (await model.createChannel()).deleteQueue(STREAM);
  await model.close();
}

describe('a plan log', () => {
  it('is empty at first, and known to be', async () => {
    const first = await start();
    expect(first.log.current).toBeUndefined();
    expect(await first.log.history(10)).toEqual([]);
    const again = await start();
    expect(again.log.current).toBeUndefined();
  });

  it('brings a change to every process, and says who made it, when and why', async () => {
    const [writer, reader] = [await start({ now: () => 1_700_000_000_000 }), await start()];
    const placed = await set(writer, 'orders', 'prefetch', 20);
    await takes(reader, placed);
    expect(reader.log.current).toEqual(placed);
    expect(placed.entry).toMatchObject({
      author: 'ada',
      reason: 'the database is slow',
      at: 1_700_000_000_000,
      change: 'orders: prefetch 20',
      overrides: { orders: { prefetch: 20 } },
    });
    expect(writer.log.current).toEqual(placed);
  });

  it('gives a process that starts late the plan as it is', async () => {
    const writer = await start();
    for (let prefetch = 1; prefetch <= 5; prefetch++) await set(writer, 'orders', 'prefetch', prefetch);
    const late = await start();
    expect(late.log.current?.entry.overrides).toEqual({ orders: { prefetch: 5 } });
    expect(await changesOf(late)).toEqual([1, 2, 3, 4, 5].map((n) => `orders: prefetch ${n}`));
    expect((await late.log.history(2)).map(({ entry }) => entry.change)).toEqual([
      'orders: prefetch 5',
      'orders: prefetch 4',
    ]);
  });

  it('ignores what nobody can read, and says so', async () => {
    const writer = await start();
    await set(writer, 'orders', 'prefetch', 5);
    await appendSerially(writer.connection, STREAM, ['pause everything!']);
    const placed = await set(writer, 'orders', 'prefetch', 6);
    const late = await start();
    expect(late.log.current).toEqual(placed);
    for (const { telemetry } of [writer, late]) {
      expect(telemetry.named('plan.ignored').map(({ reason }) => reason)).toContain(
        'it is not a JSON object',
      );
    }
    expect(await changesOf(late)).toEqual(['orders: prefetch 5', 'orders: prefetch 6']);
  });
});

describe('operators who change the plan at the same time', () => {
  it('lose none of their changes, and all see one order', async () => {
    const [ada, bob] = [await start(), await start()];
    await Promise.all([set(ada, 'orders', 'prefetch', 20), set(bob, 'orders', 'concurrency', 10)]);
    expect(await changesOf(ada)).toEqual(await changesOf(bob));
    const [latest] = await ada.log.history(1);
    expect(latest?.entry.overrides).toEqual({ orders: { prefetch: 20, concurrency: 10 } });
  });

  it('may be ten with five changes each', async () => {
    const writers = await Promise.all(Array.from({ length: 10 }, () => start()));
    await Promise.all(
      writers.map(async (writer, n) => {
        for (let round = 0; round < 5; round++) await set(writer, `queue-${n}`, 'prefetch', round);
      }),
    );
    const changes = await Promise.all(writers.map(changesOf));
    expect(changes[0]).toHaveLength(50);
    for (const seen of changes) expect(seen).toEqual(changes[0]);
    for (let n = 0; n < 10; n++) {
      const own = changes[0]?.filter((change) => change.startsWith(`queue-${n}:`));
      expect(own).toEqual([0, 1, 2, 3, 4].map((round) => `queue-${n}: prefetch ${round}`));
    }
    const [latest] = await (writers[0] as Process).log.history(1);
    expect(Object.keys(latest?.entry.overrides ?? {})).toHaveLength(10);
  });
});

describe('a process whose connection the broker closes', () => {
  it('has the plan as it is when it is back, after three changes made without it', async () => {
    const [writer, away] = [await start(), await start()];
    await takes(away, await set(writer, 'orders', 'prefetch', 1));
    await closeConnections(vhost.name, [away.name]);
    await until(async () => (away.telemetry.named('plan.lost').length > 0 ? undefined : 'not lost'));
    for (let prefetch = 2; prefetch <= 3; prefetch++) await set(writer, 'orders', 'prefetch', prefetch);
    await takes(away, await set(writer, 'orders', 'prefetch', 4));
    expect(away.log.current?.entry.overrides).toEqual({ orders: { prefetch: 4 } });
    expect(await changesOf(away)).toEqual([1, 2, 3, 4].map((n) => `orders: prefetch ${n}`));
    expect(away.telemetry.named('plan.following').length).toBeGreaterThan(1);
  });

  it('makes all of its changes once, though it is closed amid them', async () => {
    const [writer, reader] = [await start(), await start()];
    let isOver = false;
    const closing = (async () => {
      while (!isOver) await closeConnections(vhost.name, [writer.name]).catch(() => undefined);
    })();
    const made: string[] = [];
    for (let prefetch = 0; writer.telemetry.named('plan.lost').length < 1; prefetch++) {
      made.push((await set(writer, 'orders', 'prefetch', prefetch)).entry.change);
    }
    isOver = true;
    await closing;
    expect(await changesOf(reader)).toEqual(made);
  });
});

describe('a plan whose stream is deleted', () => {
  it('stays in force, and the next change begins another log with it', async () => {
    const [writer, reader] = [await start(), await start()];
    const before = await set(writer, 'orders', 'prefetch', 20);
    await takes(reader, before);
    await deleteStream();
    await until(async () =>
      [writer, reader].every(({ telemetry }) => telemetry.named('plan.kept').length > 0)
        ? undefined
        : 'not kept',
    );
    expect(reader.log.current).toEqual(before);
    const after = await set(writer, 'orders', 'concurrency', 10);
    await takes(reader, after);
    expect(after.entry.overrides).toEqual({ orders: { prefetch: 20, concurrency: 10 } });
    expect(after.entry.logId).not.toBe(before.entry.logId);
    expect(reader.telemetry.named('plan.replaced')).toMatchObject([{ reason: 'new-log' }]);
    expect(await changesOf(await start())).toEqual(['orders: concurrency 10']);
  });

  it('may be deleted amid changes: those that succeeded after it are all there', async () => {
    const writer = await start();
    const deleting = deleteStream();
    for (let prefetch = 0; prefetch < 30; prefetch++) await set(writer, 'orders', 'prefetch', prefetch);
    await deleting;
    const last = await set(writer, 'orders', 'prefetch', 'last');
    const late = await start();
    expect(late.log.current).toEqual(last);
  });
});

describe('a plan on disk', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plan-cache-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function openCached(): Promise<Process> {
    const source = { broker: 'broker:5672', vhost: vhost.name, stream: STREAM };
    return open({ cache: new PlanCache(folder, source, new RecordingTelemetry()) });
  }

  it('is in force after a restart though the stream is empty, and the base of the next change', async () => {
    const before = await openCached();
    await before.log.start();
    const placed = await set(before, 'orders', 'prefetch', 20);
    await stop(before);
    await deleteStream();
    const after = await openCached();
    await after.log.start();
    expect(after.log.current).toEqual(placed);
    expect(after.telemetry.named('plan.kept')).toHaveLength(1);
    const next = await set(after, 'orders', 'concurrency', 10);
    expect(next.entry.overrides).toEqual({ orders: { prefetch: 20, concurrency: 10 } });
  });

  it('gives way to another log in a stream that is not empty', async () => {
    const before = await openCached();
    await before.log.start();
    for (let prefetch = 1; prefetch <= 3; prefetch++) await set(before, 'orders', 'prefetch', prefetch);
    await stop(before);
    await deleteStream();
    const other = await start();
    const placed = await set(other, 'photos', 'concurrency', 2);
    const after = await openCached();
    await after.log.start();
    expect(after.log.current).toEqual(placed);
    expect(after.telemetry.named('plan.replaced')).toMatchObject([{ reason: 'new-log' }]);
  });
});

describe('a change', () => {
  it('is in force in ten processes within a second of its being asked for', async () => {
    const followers = await Promise.all(Array.from({ length: 10 }, () => start()));
    const writer = await start();
    const latenciesMs: number[] = [];
    for (let round = 0; round < 50; round++) {
      const change = `orders: prefetch ${round}`;
      const heard = followers.map(
        ({ log }) =>
          new Promise<number>((resolve) => {
            const stopListening = log.onChange(({ entry }) => {
              if (entry.change !== change) return;
              stopListening();
              resolve(performance.now());
            });
          }),
      );
      const askedAt = performance.now();
      await set(writer, 'orders', 'prefetch', round);
      latenciesMs.push(...(await Promise.all(heard)).map((at) => at - askedAt));
    }
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    const [p50 = 0, p99 = 0] = [0.5, 0.99].map((part) => sorted[Math.floor(part * sorted.length)]);
    console.log(`change to effect: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms of ${sorted.length}`);
    expect(sorted).toHaveLength(500);
    expect(p99).toBeLessThanOrEqual(1_000);
  });
});
