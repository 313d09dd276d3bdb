import { describe, expect, it } from '@jest/globals';
import { readLogLevel } from './log-level.js';

describe('LOG_LEVEL', () => {
  it.each([undefined, '', 'log', 'info'])('%j shows everything up to log', (text) => {
    expect(readLogLevel(text)).toEqual({ levels: ['fatal', 'error', 'warn', 'log'] });
  });

  it('shows each level with those that are graver', () => {
    expect(readLogLevel('error')).toEqual({ levels: ['fatal', 'error'] });
    expect(readLogLevel('verbose')).toMatchObject({ levels: { length: 6 } });
  });

  it('says what is expected and what was given', () => {
    expect(readLogLevel('loud')).toEqual({
      problem: 'LOG_LEVEL: expected one of fatal, error, warn, log, debug, verbose, info, got: "loud"',
    });
  });
});
