import { describe, expect, it, jest } from '@jest/globals';
import { remembered } from './remembered.js';

describe('a remembered action', () => {
  it('is run once, however many ask and whenever', async () => {
    const action = jest.fn(async () => undefined);
    const run = remembered(action);
    await Promise.all([run(), run()]);
    await run();
    expect(action).toHaveBeenCalledTimes(1);
  });

  it('fails for all who wait, and is run again for the next', async () => {
    const action = jest
      .fn<() => Promise<void>>()
      .mockRejectedValueOnce(new Error('away'))
      .mockResolvedValue();
    const run = remembered(action);
    const both = [run(), run()];
    for (const end of both) await expect(end).rejects.toThrow('away');
    await run();
    expect(action).toHaveBeenCalledTimes(2);
  });
});
