import { describe, expect, it } from '@jest/globals';
import { knobs, type Knob } from './forecast-knobs.js';
import type { Forecast } from './forecast.js';

const sized = { maxLatency: '1s', serviceTime: '50ms', concurrency: 10, prefetch: 15, type: 'classic' };

describe('knobs', () => {
  const saturated = knobsAt(360, sized);

  it('turns each knob alone, and says how', () => {
    expect(saturated.map(({ change }) => change)).toEqual([
      'workers 1 -> 2',
      'concurrency 10 -> 20',
      'serviceTime 50ms -> 40ms',
      'maxLatency 1s -> 2s',
      'prefetch 15 -> 10',
    ]);
    expect(saturated.map(({ options }) => options)).toEqual([
      { workers: 2 },
      { concurrency: 20, prefetch: 25 },
      { serviceTime: '40ms' },
      { maxLatency: '2s' },
      { prefetch: 10 },
    ]);
  });

  it('derives the length of the queue anew for each', () => {
    const lengths = ['workers', 'serviceTime', 'maxLatency', 'prefetch'].map(
      (name) => after(saturated, name).maxLength,
    );
    expect(lengths).toEqual([259, 168, 307, 127]);
  });

  it('shows what gets more done and what does not', () => {
    expect(after(saturated, 'workers').acceptedPerSec).toBeCloseTo(360, 3);
    expect(after(saturated, 'concurrency').acceptedPerSec).toBeCloseTo(360, 3);
    expect(after(saturated, 'serviceTime').acceptedPerSec).toBeCloseTo(250, 3);
    expect(after(saturated, 'maxLatency').acceptedPerSec).toBeCloseTo(200, 3);
    expect(effect(saturated, 'serviceTime')).toMatch(
      /^accepts 200\/s -> 250\/s, sheds 44.4 % -> 30.6 %, p99 sojourn [\d.]+ ms -> [\d.]+ ms$/,
    );
  });

  it('says of a longer queue past saturation that it buys only latency', () => {
    expect(effect(saturated, 'maxLatency')).toMatch(
      /^accepts 200\/s -> 200\/s, sheds 44.4 % -> 44.4 %, .* ms: more queue buys only latency$/,
    );
    expect(effect(knobsAt(190, sized), 'maxLatency')).not.toContain('only latency');
  });

  it('turns the length itself where it was set outright', () => {
    const outright = knobsAt(190, { serviceTime: '50ms', maxLength: 10, type: 'classic' });
    expect(outright.map(({ name }) => name)).toEqual(['workers', 'concurrency', 'serviceTime', 'maxLength']);
    const promised = knobsAt(190, { ...sized, maxLength: 10 });
    expect(promised.map(({ change }) => change)).toContain('maxLength 10 -> 20');
    expect(effect(outright, 'maxLength')).toContain('sheds 4.7 % -> 2.1 %');
  });

  it('turns the bound of the fleet where that is what holds', () => {
    const bounded = knobsAt(190, { ...sized, workers: 2, fleetConcurrency: 5 });
    expect(bounded.map(({ change }) => change)).toContain('fleetConcurrency 5 -> 10');
    expect(after(bounded, 'fleetConcurrency').drainRatePerSec).toBe(200);
    expect(after(bounded, 'workers').drainRatePerSec).toBe(100);
    const unbounded = knobsAt(190, { ...sized, fleetConcurrency: 20 });
    expect(unbounded.map(({ name }) => name)).toContain('concurrency');
  });

  it('gives the reason where a change would be refused', () => {
    const most = knobsAt(1, { ...sized, workers: 10_000 });
    expect(effect(most, 'workers')).toBe(
      'refused: queues.jobs.workers: expected an integer from 1 to 10000, got: 10001',
    );
  });

  it('has none for options that cannot be forecast', () => {
    expect(knobsAt(190, { maxLength: 10 })).toEqual([]);
  });
});

function knobsAt(arrivalRatePerSec: number, options: Record<string, unknown>): Knob[] {
  return knobs({ name: 'jobs', options, arrivalRatePerSec });
}

function named(turned: readonly Knob[], name: string): Knob {
  const knob = turned.find((candidate) => candidate.name === name);
  if (knob === undefined) throw new Error(`no knob ${name}`);
  return knob;
}

function effect(turned: readonly Knob[], name: string): string {
  return named(turned, name).effect;
}

function after(turned: readonly Knob[], name: string): Forecast {
  const result = named(turned, name).after;
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.forecast;
}
