import { describe, expect, it } from '@jest/globals';
import { assertNodeVersion } from './node-version.mjs';

describe('the version of Node', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.11.1'])('%s is new enough', (version) => {
    expect(() => assertNodeVersion(version)).not.toThrow();
  });

  it.each(['18.20.8', '20.9.0', '20.18.3'])('%s is too old, which is said with what is needed', (version) => {
    expect(() => assertNodeVersion(version)).toThrow(`needs Node.js 20.19 or newer, this is ${version}`);
  });
});
