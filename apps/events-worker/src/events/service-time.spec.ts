import { describe, expect, it } from '@jest/globals';
import { ServiceTime } from './service-time.js';
import type { ServiceTimeDistribution } from './service-time-distribution.js';

const IDLE = new AbortController().signal;

describe('ServiceTime', () => {
  it('takes no time and no random number without a distribution', async () => {
    const serviceTime = new ServiceTime({ distribution: undefined, mode: 'waiting' }, () => {
      throw new Error('asked for a random number');
    });
    await expect(serviceTime.spend(IDLE)).resolves.toBeUndefined();
  });

  it('waits for a sample and leaves the processor to others meanwhile', async () => {
    const distribution: ServiceTimeDistribution = { kind: 'uniform', minMs: 0, maxMs: 20 };
    const serviceTime = new ServiceTime({ distribution, mode: 'waiting' }, () => 0.5);
    const startMs = performance.now();
    const order: string[] = [];
    await Promise.all([
      serviceTime.spend(IDLE).then(() => order.push('waited')),
      Promise.resolve().then(() => order.push('other work')),
    ]);
    // Timers count whole milliseconds.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(9);
    expect(order).toEqual(['other work', 'waited']);
  });

  it('an aborted signal ends the waiting at once', async () => {
    const stopping = new AbortController();
    const serviceTime = new ServiceTime({
      distribution: { kind: 'constant', durationMs: 3_600_000 },
      mode: 'waiting',
    });
    const spent = serviceTime.spend(stopping.signal);
    stopping.abort();
    await expect(spent).rejects.toMatchObject({ name: 'AbortError' });
  });

  it.each(['waiting', 'cpu'] as const)('a signal aborted before starts nothing (%s)', async (mode) => {
    const serviceTime = new ServiceTime({ distribution: { kind: 'constant', durationMs: 3_600_000 }, mode });
    await expect(serviceTime.spend(AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('keeps the processor busy for a sample in cpu mode: the call itself takes that long', async () => {
    const serviceTime = new ServiceTime({ distribution: { kind: 'constant', durationMs: 5.5 }, mode: 'cpu' });
    const startMs = performance.now();
    const spent = serviceTime.spend(IDLE);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(5.5);
    await spent;
  });
});
