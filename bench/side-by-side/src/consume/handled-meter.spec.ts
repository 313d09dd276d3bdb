import { describe, expect, it } from '@jest/globals';
import { HandledMeter } from './handled-meter.js';

/** A millisecond passes with every message, of which the process works 3 µs and the kernel 1 µs. */
function setUp() {
  let atMs = 0;
  const now = () => ({ atMs, cpu: { userUs: atMs * 3, systemUs: atMs } });
  const meter = new HandledMeter({ warmUp: 5, measured: 11 }, now);
  const handle = (count: number) => {
    for (let index = 0; index < count; index += 1) {
      atMs += 1;
      meter.handled();
    }
  };
  const pause = (ms: number) => (atMs += ms);
  return { meter, handle, pause };
}

describe('the meter of handled messages', () => {
  it('measures from the first message after the warm-up to the last', async () => {
    const { meter, handle } = setUp();
    handle(16);
    await meter.finished;
    expect(meter.span).toEqual({ messages: 10, elapsedMs: 10, cpu: { userUs: 30, systemUs: 10 } });
  });

  it('has nothing to say before the last, however long it takes', () => {
    const { meter, handle, pause } = setUp();
    handle(15);
    pause(1_000);
    expect(meter.span).toBeUndefined();
    handle(1);
    expect(meter.span).toMatchObject({ messages: 10, elapsedMs: 1_010 });
  });

  it('counts what comes after the last, and does not measure it', () => {
    const { meter, handle } = setUp();
    handle(18);
    expect(meter.handledCount).toBe(18);
    expect(meter.span).toMatchObject({ messages: 10, elapsedMs: 10 });
  });
});
