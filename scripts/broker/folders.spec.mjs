import { describe, expect, it } from '@jest/globals';
import { harmlessFolder } from './folders.mjs';

describe('the folder for the broker', () => {
  it('is inside the checkout', () => {
    expect(harmlessFolder('/home/me/spillway-2.0', '/home/me/spillway-2.0/.spillway')).toBe(
      '/home/me/spillway-2.0/.spillway',
    );
  });

  it.each(['/home/me/My Projects/spillway', "/home/me/it's", '/home/me/a;b'])(
    'is one of its own outside of %s, which RabbitMQ could not start in',
    (root) => {
      const folder = harmlessFolder(root, `${root}/.spillway`);
      expect(folder).toMatch(/\/\.cache\/spillway\/[0-9a-f]{12}$/);
      expect(folder).not.toBe(harmlessFolder(`${root} 2`, ''));
    },
  );
});
