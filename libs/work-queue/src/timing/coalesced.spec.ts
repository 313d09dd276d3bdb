import { describe, expect, it } from '@jest/globals';
import { gate, settled } from '../../../../test/support/fake-broker.js';
import { coalesced } from './coalesced.js';

/** An action whose runs end when the test says so. */
function slowAction(): { action: () => Promise<void>; runs: Array<() => void> } {
  const runs: Array<() => void> = [];
  const action = (): Promise<void> => {
    const { promise, open } = gate();
    runs.push(open);
    return promise;
  };
  return { action, runs };
}

describe('a coalesced action', () => {
  it('runs once more, and only once, for all who asked while it ran', async () => {
    const { action, runs } = slowAction();
    const run = coalesced(action);
    const asked = [run(), run(), run()];
    await settled();
    expect(runs).toHaveLength(1);
    runs[0]?.();
    await settled();
    expect(runs).toHaveLength(2);
    runs[1]?.();
    await Promise.all(asked);
    expect(runs).toHaveLength(2);
  });

  it('runs for one who asks in the very moment it ends', async () => {
    const { action, runs } = slowAction();
    const run = coalesced(action);
    const first = run();
    runs[0]?.();
    const second = first.then(run);
    await settled();
    expect(runs).toHaveLength(2);
    runs[1]?.();
    await second;
  });

  it('does not end for one who asked in between before the run that is theirs has ended', async () => {
    const { action, runs } = slowAction();
    const run = coalesced(action);
    void run();
    let isOver = false;
    const later = run().then(() => (isOver = true));
    runs[0]?.();
    await settled();
    expect(isOver).toBe(false);
    runs[1]?.();
    await later;
  });
});
