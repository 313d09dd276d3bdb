import { afterEach, describe, expect, it } from '@jest/globals';
import { allWritten } from '../support/rows.js';
import { System } from '../support/system.js';
import { acceptedIds, acceptedMessageIds, postMany } from '../support/webhooks.js';

const COUNT = 60;
const PREFETCH = 5;

describe('a worker that gets SIGTERM while it works', () => {
  let system: System;

  afterEach(() => system.close());

  it('finishes what is in flight, starts nothing more, loses nothing and does nothing twice', async () => {
    system = await System.create({
      maxLength: 500,
      serviceTime: '100ms',
      prefetch: PREFETCH,
      type: 'quorum',
    });
    const { url } = await system.startGateway();
    const first = await system.startWorker(['--service-time', '100ms'], { LOG_LEVEL: 'debug' });
    const answers = await postMany(url, COUNT, 10);
    const ids = acceptedIds(answers);
    expect(ids).toHaveLength(COUNT);
    await first.line(/succeeded/);
    first.signal('SIGTERM');
    expect(await first.exited).toBe(0);
    const doneByFirst = succeeded(first.lines);
    // What ran at the signal may finish; with prefetch 5 nothing else can have.
    const signalLine = first.lines.findIndex((line) => line.includes('SIGTERM'));
    expect(signalLine).toBeGreaterThan(0);
    expect(succeeded(first.lines.slice(signalLine)).length).toBeLessThanOrEqual(PREFETCH);
    expect(doneByFirst.length).toBeLessThan(COUNT);

    const second = await system.startWorker([], { LOG_LEVEL: 'debug' });
    const rows = await allWritten(system.dataFolder, ids);
    expect(rows).toBe(ids.length);
    expect(await second.stop()).toBe(0);
    const handled = [...doneByFirst, ...succeeded(second.lines)];
    expect(handled.toSorted()).toEqual(acceptedMessageIds(answers).toSorted());
  }, 120_000);
});

/** The ids of the jobs a worker has finished, as often as it has. */
function succeeded(lines: readonly string[]): string[] {
  return lines.flatMap((line) => /github-events (\S+): succeeded/.exec(line)?.[1] ?? []);
}
