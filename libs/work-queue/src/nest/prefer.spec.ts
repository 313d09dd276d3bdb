import { describe, expect, it } from '@jest/globals';
import { type Preference, readPrefer } from './prefer.js';

const MAX_WAIT_MS = 30_000;
const read = (prefer: string | string[], maxWaitMs = MAX_WAIT_MS): Preference =>
  readPrefer({ prefer }, maxWaitMs);

describe('the Prefer header', () => {
  it('asks for nothing when there is none', () => {
    expect(readPrefer({}, MAX_WAIT_MS)).toEqual({ waitMs: undefined, respondAsync: false });
  });

  it.each<[string | string[], Partial<Preference>]>([
    ['wait=5', { waitMs: 5_000, respondAsync: false }],
    ['respond-async', { waitMs: undefined, respondAsync: true }],
    ['respond-async, wait=10', { waitMs: 10_000, respondAsync: true }],
    ['Respond-Async, WAIT=10', { waitMs: 10_000, respondAsync: true }],
    ['wait = 10 ; grace="a, wait=20; b"', { waitMs: 10_000 }],
    ['wait="10"', { waitMs: 10_000 }],
    ['return=minimal; foo="some \\", wait=1", wait=2', { waitMs: 2_000 }],
    ['handling=lenient,,wait=3,', { waitMs: 3_000 }],
    [['respond-async', 'wait=4'], { waitMs: 4_000, respondAsync: true }],
    ['respond-async=""; x', { respondAsync: true }],
  ])('%j is read as %j', (prefer, expected) => {
    expect(read(prefer)).toMatchObject(expected);
  });

  it('counts the first of two', () => {
    expect(read('wait=1, wait=20').waitMs).toBe(1_000);
    expect(read(['wait=1', 'wait=20']).waitMs).toBe(1_000);
  });

  it.each([
    'wait',
    'wait=',
    'wait=x',
    'wait=-1',
    'wait=1.5',
    'wait=1e3',
    'wait="',
    'wait=5 6',
    'x-wait=5',
    '"wait=5"',
  ])('%j is no wait', (prefer) => {
    expect(read(prefer).waitMs).toBeUndefined();
  });

  it('lets nobody wait longer than the maximum', () => {
    expect(read('wait=31').waitMs).toBe(MAX_WAIT_MS);
    expect(read(`wait=${'9'.repeat(400)}`).waitMs).toBe(MAX_WAIT_MS);
  });

  it('lets nobody wait for no time, or when waiting is off', () => {
    expect(read('wait=0').waitMs).toBeUndefined();
    expect(read('wait=5', 0).waitMs).toBeUndefined();
  });
});
