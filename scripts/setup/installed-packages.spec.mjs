import { describe, expect, it } from '@jest/globals';
import { differences } from './installed-packages.mjs';

const LOCKED = {
  '': { version: '0.1.0' },
  'apps/gateway': { version: '0.1.0' },
  'node_modules/@spillway/gateway': { resolved: 'apps/gateway', link: true },
  'node_modules/jest': { version: '30.5.2' },
  'node_modules/fsevents': { version: '2.3.3', optional: true },
};
const { '': _root, 'node_modules/fsevents': _optional, ...INSTALLED } = LOCKED;

describe('what is installed otherwise than locked', () => {
  it('is nothing after npm ci, which leaves out optional packages of other systems', () => {
    expect(differences(LOCKED, INSTALLED)).toEqual([]);
  });

  it('is a package of another version', () => {
    expect(differences(LOCKED, { ...INSTALLED, 'node_modules/jest': { version: '29.0.0' } })).toEqual([
      'node_modules/jest',
    ]);
  });

  it('is a package that is missing', () => {
    const { 'node_modules/jest': _jest, ...withoutJest } = INSTALLED;
    expect(differences(LOCKED, withoutJest)).toEqual(['node_modules/jest']);
  });

  it('is a package that is locked no more', () => {
    expect(differences(LOCKED, { ...INSTALLED, 'node_modules/mocha': { version: '11.0.0' } })).toEqual([
      'node_modules/mocha',
    ]);
  });
});
