import { describe, expect, it } from '@jest/globals';
import { Trouble } from './trouble.js';

describe('a trouble', () => {
  it('lasts from the first time it is seen', () => {
    const trouble = new Trouble();
    expect(trouble.forMs(500)).toBe(0);
    trouble.seen(1_000);
    trouble.seen(3_000);
    expect(trouble.forMs(5_000)).toBe(4_000);
  });

  it('is over when something was accepted', () => {
    const trouble = new Trouble();
    trouble.seen(1_000);
    trouble.over();
    expect(trouble.forMs(5_000)).toBe(0);
    trouble.seen(6_000);
    expect(trouble.forMs(7_000)).toBe(1_000);
  });

  it('is another one when nobody saw it for two minutes', () => {
    const trouble = new Trouble();
    trouble.seen(0);
    trouble.seen(120_000);
    expect(trouble.forMs(120_000)).toBe(120_000);
    trouble.seen(240_001);
    expect(trouble.forMs(240_001)).toBe(0);
  });
});
