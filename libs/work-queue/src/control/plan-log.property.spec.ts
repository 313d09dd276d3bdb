import { expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import {
  fakeableTimers,
  fakeTimeInEachTest,
  RecordingTelemetry,
} from '../../../../test/support/fake-broker.js';
import { FakeStream, type PublishFate } from '../../../../test/support/fake-stream.js';
import type { PlanOverrides } from './plan-entry.js';
import type { PlacedEntry } from './plan-fold.js';

jest.unstable_mockModule('node:timers/promises', () => fakeableTimers);
const { PlanLog } = await import('./plan-log.js');

const PROCESSES = 3;
const FATES = ['nacked', 'lost', 'silent', 'stored-and-silent', 'stored-and-lost'] as const;

const who = fc.nat(PROCESSES - 1);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ changes: who }) },
  { weight: 2, arbitrary: fc.record({ loses: who }) },
  { weight: 3, arbitrary: fc.record({ regains: who }) },
  { weight: 4, arbitrary: fc.record({ next: fc.constantFrom<PublishFate>(...FATES) }) },
  { weight: 5, arbitrary: fc.record({ passes: fc.nat(2_000) }) },
  { weight: 2, arbitrary: fc.constantFrom('arrives' as const, 'garbage' as const, 'gap' as const) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What became of one change. */
interface Made {
  readonly by: number;
  end: PlacedEntry | string | undefined;
}

/** A few processes on one stream, to which anything may happen but its deletion. */
class World {
  readonly stream = new FakeStream();
  readonly made: Made[] = [];
  /** What the broker took and neither stored nor refused: it may still do either. */
  readonly underWay: Buffer[] = [];
  readonly heard: number[][] = [];
  private fate: PublishFate = 'acked';
  private lastId = 0;
  readonly processes = Array.from({ length: PROCESSES }, (_one, n) => this.open(n));

  constructor(seed: number) {
    let state = seed + 1;
    this.random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    this.stream.fate = ({ body }) => {
      const { fate } = this;
      this.fate = 'acked';
      if (fate === 'silent' || fate === 'lost') this.underWay.push(body);
      return fate;
    };
  }

  private random: () => number = () => 0;

  open(n: number) {
    const connection = this.stream.connect();
    const newId = (): string => `id-${++this.lastId}`;
    const options = { newId, now: () => 0, random: () => this.random(), appendTimeoutMs: 5_000 };
    const log = new PlanLog(connection, new RecordingTelemetry(), options);
    const offsets: number[] = (this.heard[n] = []);
    log.onChange(({ offset }) => offsets.push(offset));
    return { connection, log };
  }

  take(taken: Step): void {
    if (taken === 'arrives') this.stream.append(...this.underWay.splice(0, 1));
    else if (taken === 'garbage') this.stream.append('garbage');
    else if (taken === 'gap') this.stream.skipOffset();
    else if ('changes' in taken) this.change(taken.changes);
    else if ('loses' in taken) this.processes[taken.loses]?.connection.lose();
    else if ('regains' in taken) this.processes[taken.regains]?.connection.comeBack();
    else if ('next' in taken) this.fate = taken.next;
  }

  /** Each counts the changes of its process. */
  private change(by: number): void {
    const made: Made = { by, end: undefined };
    this.made.push(made);
    const apply = (current: PlanOverrides): PlanOverrides => ({
      ...current,
      [by]: { count: Number(current[by]?.['count'] ?? 0) + 1 },
    });
    const change = { author: `process ${by}`, reason: 'r', change: 'c', apply };
    this.processes[by]?.log.append(change).then(
      (placed) => (made.end = placed),
      (error: { code: string }) => (made.end = error.code),
    );
  }
}

async function pass(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(0);
  await jest.advanceTimersByTimeAsync(ms);
  await jest.advanceTimersByTimeAsync(0);
}

fakeTimeInEachTest();

it('processes make each change once or not at all, tell which, and agree, whatever happens on the way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(1_000), async (steps, seed) => {
      const world = new World(seed);
      for (const { log } of world.processes) void log.start();
      await pass(0);
      for (const taken of steps) {
        world.take(taken);
        await pass(typeof taken === 'object' && 'passes' in taken ? taken.passes : 0);
      }
      for (const { connection } of world.processes) connection.comeBack();
      await pass(20_000);
      const reader = world.open(PROCESSES);
      void reader.log.start();
      await pass(0);
      const history = (await reader.log.history(1_000)).toReversed();
      const succeeded = world.made.flatMap(({ end }) => (typeof end === 'object' ? [end] : []));
      const unknown = world.made.filter(({ end }) => end === 'WQ_PLAN_OUTCOME_UNKNOWN').length;
      expect(world.made.filter(({ end }) => end === undefined)).toEqual([]);
      // Each that succeeded is there, where it was said to be; what else is there was unknown.
      expect(history).toEqual(expect.arrayContaining(succeeded));
      expect(history.length - succeeded.length).toBeGreaterThanOrEqual(0);
      expect(history.length - succeeded.length).toBeLessThanOrEqual(unknown);
      expect(new Set(history.map(({ entry }) => entry.id)).size).toBe(history.length);
      for (let by = 0; by < PROCESSES; by++) {
        const own = history.filter(({ entry }) => entry.author === `process ${by}`).length;
        expect(Number(reader.log.current?.entry.overrides[by]?.['count'] ?? 0)).toBe(own);
      }
      for (const { log } of world.processes) expect(log.current).toEqual(history.at(-1));
      for (const offsets of world.heard) expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      for (const { log } of [...world.processes, reader]) await log.close();
      await pass(0);
    }),
    { numRuns: 150 },
  );
}, 60_000);
