import { describe, expect, it } from '@jest/globals';
import { offeredIn, type QueueSample, shedIn } from '../sampling/queue-sample.js';
import { decodeSample, encodeSample } from '../sampling/sample-codec.js';
import { SampleWindow } from '../sampling/sample-window.js';
import { Sampler } from '../sampling/sampler.js';
import { summarizeTimes } from '../sampling/summarize-times.js';
import { Telemetry } from '../telemetry/telemetry.js';
import type { QueuePicture } from './alert.js';
import { AlertBook } from './alert-book.js';

describe('alerts from the samples of a gateway and a worker', () => {
  it('tell that jobs take too long, that they wait too long, and that work is shed', () => {
    const { second, window } = setUp();
    const book = new AlertBook();
    const raised: string[] = [];
    for (let atS = 0; atS < 120; atS++) {
      second(atS);
      const changes = book.look(pictureOf(window, atS * 1_000));
      raised.push(...changes.map(({ change, alert }) => `${alert.kind} ${change}`));
    }
    expect(raised).toEqual(['shedding raised', 'promise-broken raised', 'service-time-off raised']);
    expect(book.raised.map(({ message }) => message)).toEqual([
      expect.stringMatching(/waited up to 30\d\dms \(600 in the last minute, promise 1s\)/),
      expect.stringMatching(/takes 1(19|20|21)ms on average .* serviceTime is 50ms/),
      expect.stringContaining('shed 20 of 120 publishes in the last 10 s (17 %: queue-full 20)'),
    ]);
  });
});

/** Ten jobs a second by a worker, and twelve publishes by a gateway of which two are shed. */
function setUp() {
  const [gateway, worker] = [new Telemetry(), new Telemetry()];
  const samplers = [gateway, worker].map((telemetry) => new Sampler(telemetry, { startMs: 0 }));
  const window = new SampleWindow('orders');
  const job = { queue: 'orders', messageId: 'id-1' };
  const second = (atS: number): void => {
    for (let count = 0; count < 10; count++) {
      gateway.emit('publish.accepted', { ...job, confirmMs: 1 });
      const times = { serviceTimeMs: 120, waitTimeMs: 3_000 };
      worker.emit('job.settled', { ...job, ...times, end: 'succeeded', attempt: 1, retryInMs: undefined });
    }
    for (let count = 0; count < 2; count++) {
      gateway.emit('publish.refused', { ...job, reason: 'queue-full', detail: '' });
    }
    const samples = samplers.flatMap((sampler) => sampler.take(atS * 1_000));
    for (const sample of samples) window.add(overTheWire(sample), atS * 1_000);
  };
  return { second, window };
}

function overTheWire(sample: QueueSample): QueueSample {
  const decoded = decodeSample(encodeSample(sample));
  if (!('sample' in decoded)) throw new Error(decoded.refusal);
  return decoded.sample;
}

function pictureOf(window: SampleWindow, atMs: number): QueuePicture {
  const minute = window.last(60, atMs);
  const recent = window.last(10, atMs);
  const wait = minute && summarizeTimes(minute.wait);
  return {
    queue: 'orders',
    atMs,
    ready: 60,
    maxLength: 100,
    alertAt: 0.7,
    consumers: 1,
    isPaused: false,
    overflow: undefined,
    maxLatencyMs: 1_000,
    wait: minute && { count: wait?.count ?? 0, p99Ms: wait?.p99Ms ?? 0 },
    service: minute && summarizeTimes(minute.service),
    declaredServiceTimeMs: 50,
    publishes: recent && { offered: offeredIn(recent), shed: shedIn(recent) },
  };
}
