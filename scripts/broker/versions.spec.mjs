import { describe, expect, it } from '@jest/globals';
import { DEFAULT_VERSION, parseVersion, suiteOf } from './versions.mjs';

describe('RABBITMQ_VERSION', () => {
  it.each([
    ['3.10', 'bookworm'],
    ['4.0', 'trixie'],
    ['4.3', 'forky'],
  ])('takes RabbitMQ %s from Debian %s', (version, suite) => {
    expect(suiteOf(parseVersion(version))).toBe(suite);
  });

  it.each(['4', '4.1', '3.1', 'latest', '__proto__'])('refuses %s and names those that there are', (text) => {
    expect(() => parseVersion(text)).toThrow(
      `expected RABBITMQ_VERSION to be one of 3.10, 4.0, 4.3 (or unset), got: ${text}`,
    );
  });

  it('has a release of Debian for the default', () => {
    expect(suiteOf(DEFAULT_VERSION)).not.toBe('');
  });
});
