import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openPublisher } from '../support/open-publisher.js';
import type { AppProcess } from '../support/app-process.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';
import { QueueDepths } from '../support/worker-broker.js';
import { idsIn, spawnWorker } from '../support/worker-process.js';

const CONCURRENCY = 3;
const JOBS = 30;

const qos = {
  type: 'quorum',
  maxLength: 1_000,
  serviceTime: '100ms',
  prefetch: 10,
  concurrency: CONCURRENCY,
  breakAfter: 0,
  // One step, and longer than the first worker lives.
  backoff: { initial: '5s', max: '5s' },
};
const WAITING = ['orders.due', 'orders.wait.5s'];
const ALL = ['orders', ...WAITING];

describe('a worker process that gets SIGTERM', () => {
  let vhost: TestVhost;
  let depths: QueueDepths;
  let workers: AppProcess[];

  beforeEach(async () => {
    vhost = await createVhost();
    depths = await QueueDepths.open(vhost.url);
    workers = [];
  });

  afterEach(async () => {
    for (const worker of workers) worker.signal('SIGKILL');
    await Promise.all(workers.map(({ exited }) => exited));
    await depths.close();
    await vhost.delete();
  });

  const spawn = (drainTimeoutMs?: number): AppProcess => {
    const worker = spawnWorker(vhost, qos, drainTimeoutMs);
    workers.push(worker);
    return worker;
  };

  const publish = async (job: object, count = JOBS): Promise<string[]> => {
    const publisher = await openPublisher(vhost, { orders: qos });
    const ids = Array.from({ length: count }, (_, index) => `job-${index}`);
    for (const id of ids) await publisher.queue('orders').publish(job, { messageId: id });
    await publisher.close();
    return ids;
  };

  const started = (worker: AppProcess, count: number): Promise<void> =>
    until(async () => {
      const ids = idsIn(worker.lines, 'start');
      return ids.length >= count ? undefined : `${ids.length} started`;
    });

  const allEnded = (ids: readonly string[]): Promise<void> =>
    until(async () => {
      const ended = workers.flatMap(({ lines }) => idsIn(lines, 'end'));
      const missing = ids.filter((id) => !ended.includes(id));
      return missing.length === 0 ? undefined : `no end of ${missing.join(', ')}`;
    });

  /** What it printed from the signal on. */
  const sinceSignal = ({ lines }: AppProcess): string[] => {
    const index = lines.findIndex((line) => line.includes('SIGTERM'));
    if (index < 0) throw new Error(`no signal in:\n${lines.join('\n')}`);
    return lines.slice(index);
  };

  it('starts nothing more, gives back at once what it has not started, and finishes the rest', async () => {
    const ids = await publish({ ms: 2_000 });
    const first = spawn();
    await started(first, CONCURRENCY);
    first.signal('SIGTERM');
    await first.line(/SIGTERM/);
    await until(async () => {
      const ready = await depths.of('orders');
      return ready === JOBS - CONCURRENCY ? undefined : `${ready} ready`;
    }, 1_500);
    expect(idsIn(first.lines, 'end')).toEqual([]);
    expect(await first.exited).toBe(0);
    expect(idsIn(sinceSignal(first), 'start')).toEqual([]);
    expect(idsIn(first.lines, 'end')).toHaveLength(CONCURRENCY);
    expect(await depths.sumOf(ALL)).toBe(JOBS - CONCURRENCY);

    const second = spawn();
    await started(second, CONCURRENCY);
    const done = new Set([...idsIn(first.lines, 'end'), ...idsIn(second.lines, 'start')]);
    expect(done.size).toBe(idsIn(first.lines, 'end').length + idsIn(second.lines, 'start').length);
    expect(ids).toEqual(expect.arrayContaining([...done]));
  });

  it('ends at once with 130 at the second', async () => {
    await publish({ hangs: true }, 1);
    const worker = spawn();
    await started(worker, 1);
    worker.signal('SIGTERM');
    await worker.line(/SIGTERM/);
    const signalledAt = performance.now();
    worker.signal('SIGTERM');
    expect(await worker.exited).toBe(130);
    expect(performance.now() - signalledAt).toBeLessThan(1_000);
    await until(async () => ((await depths.of('orders')) === 1 ? undefined : 'not given back'));
  });

  it('ends by itself after its deadline when a handler does not, and that work is in the queue again', async () => {
    const deadlineMs = 500;
    await publish({ hangs: true }, 2);
    const worker = spawn(deadlineMs);
    await started(worker, 2);
    const signalledAt = performance.now();
    worker.signal('SIGTERM');
    expect(await worker.exited).toBe(0);
    expect(performance.now() - signalledAt).toBeLessThan(deadlineMs + 1_000 + 2_000);
    await until(async () => ((await depths.of('orders')) === 2 ? undefined : 'not given back'));
  });

  it('aborts the signals of what runs at its deadline, and charges it no attempt', async () => {
    const ids = await publish({ ms: 600_000 }, 2);
    const worker = spawn(500);
    await started(worker, 2);
    worker.signal('SIGTERM');
    expect(await worker.exited).toBe(0);
    expect(await depths.of('orders')).toBe(ids.length);
    expect(await depths.sumOf(ALL)).toBe(ids.length);
  });

  it('loses no retry that is being stored at that moment', async () => {
    const ids = await publish({ ms: 30, fails: true }, 100);
    const first = spawn();
    await started(first, 20);
    first.signal('SIGTERM');
    expect(await first.exited).toBe(0);
    expect(idsIn(first.lines, 'end')).toEqual([]);
    const failed = idsIn(first.lines, 'start').length;
    await until(async () => {
      const waiting = await depths.sumOf(WAITING);
      return waiting === failed ? undefined : `${failed} failed, ${waiting} wait`;
    }, 5_000);
    expect(await depths.of('orders')).toBe(ids.length - failed);
    spawn();
    await allEnded(ids);
    const ended = workers.flatMap(({ lines }) => idsIn(lines, 'end'));
    expect(ended.toSorted()).toEqual(ids.toSorted());
    expect(await depths.of('orders.dead')).toBe(0);
  });
});
