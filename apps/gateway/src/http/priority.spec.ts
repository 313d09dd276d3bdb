import { describe, expect, it } from '@jest/globals';
import { readPriority } from './priority.js';

describe('the priority of a request', () => {
  it('is normal when the client says nothing', () => {
    expect(readPriority({})).toBe('normal');
  });

  it.each(['u=5', 'u=7', 'u=6, i', 'i, u=5', 'i,u=5;x=1', 'u=1, u=7'])('is low for %j', (priority) => {
    expect(readPriority({ priority })).toBe('low');
  });

  it.each(['u=0', 'u=3', 'u=4, i', 'i', '', 'u=8', 'u=55', 'u=-6', 'su=6', 'u="6"', 'x="u=6"', 'u=7, u=1'])(
    'is normal for %j',
    (priority) => {
      expect(readPriority({ priority })).toBe('normal');
    },
  );
});
