import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';

const MODULE = new URL('signals.mjs', import.meta.url).href;

/**
 * How often a listener hears signals that arrive as npm and the terminal send them. In a process of its own, as
 * merging is for the whole process.
 * @param {{ withinMs: number, signals: string[] }} arrival
 */
function timesHeard({ withinMs, signals }) {
  const script = `
    import { mergeRepeatedSignals } from ${JSON.stringify(MODULE)};
    mergeRepeatedSignals(${withinMs});
    let heard = 0;
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => (heard += 1));
    for (const signal of ${JSON.stringify(signals)}) process.emit(signal, signal);
    console.log(heard);`;
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script]).toString());
}

describe('a signal', () => {
  it('that comes from the terminal and from npm is heard once', () => {
    expect(timesHeard({ withinMs: 60_000, signals: ['SIGINT', 'SIGINT'] })).toBe(1);
  });

  it('that is sent again later is heard again', () => {
    expect(timesHeard({ withinMs: 0, signals: ['SIGINT', 'SIGINT'] })).toBe(2);
  });

  it('of another kind is heard too', () => {
    expect(timesHeard({ withinMs: 60_000, signals: ['SIGINT', 'SIGTERM'] })).toBe(2);
  });
});
