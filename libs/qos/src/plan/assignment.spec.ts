import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readAssignment, readOptionName } from './assignment.js';

describe('readAssignment', () => {
  it.each([
    ['prefetch=20', 'prefetch', 20],
    ['max-length=500', 'maxLength', 500],
    ['maxLength=500', 'maxLength', 500],
    ['service-time-cv=0.5', 'serviceTimeCv', 0.5],
    ['alertAt=.5', 'alertAt', 0.5],
    ['maxWaiting=1e3', 'maxWaiting', 1_000],
    ['workers=-1', 'workers', -1],
    ['rate=200/s', 'rate', '200/s'],
    ['max-latency=2s', 'maxLatency', '2s'],
    ['paused=hold', 'paused', 'hold'],
    ['paused=no', 'paused', 'no'],
    [' fleet-concurrency = 40 ', 'fleetConcurrency', 40],
    ['rate=a=b', 'rate', 'a=b'],
  ])('reads %s as the file would have it', (text, option, value) => {
    expect(readAssignment(text)).toEqual({ ok: true, option, value });
  });

  it.each(['', '=', '=20', 'prefetch', 'prefetch=', 'prefetch= '])(
    'asks for a name and a value: %j',
    (text) => {
      expect(messageOf(text)).toBe(
        `expected an option and its value such as prefetch=20 or rate=200/s, got: ${JSON.stringify(text)}`,
      );
    },
  );

  it.each([
    ['prefech=20', 'prefech', 'did you mean prefetch?'],
    ['max_length=20', 'max_length', 'did you mean maxLength?'],
    ['max-lenght=20', 'maxLenght', 'did you mean maxLength?'],
    ['timout=5s', 'timout', 'did you mean timeout?'],
  ])('suggests what was probably meant by %s', (text, name, hint) => {
    expect(messageOf(text)).toBe(`${name}: expected a known option (${hint}), got: "${name}"`);
  });

  it('lists the options there are to change if it has no idea', () => {
    expect(messageOf('speed=9')).toMatch(
      /^speed: expected a known option \(one of maxLatency, .*, breakAfter\)/,
    );
    expect(messageOf('speed=9')).not.toContain('timeout');
  });

  it.each([
    ['type=classic', 'type'],
    ['overflow=drop-head', 'overflow'],
    ['timeout=5s', 'timeout'],
    ['timeout-grace=5s', 'timeoutGrace'],
    ['max-attempts=3', 'maxAttempts'],
    ['backoff.initial=1s', 'backoff.initial'],
    ['backoff=1s', 'backoff'],
  ])('refuses %s, which takes a restart', (text, name) => {
    expect(messageOf(text)).toBe(
      `${name} cannot be changed while it runs: change it in the QoS file and restart the processes`,
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(typeof readAssignment(text).ok).toBe('boolean')));
  });
});

describe('readOptionName', () => {
  it('reads a name alone in either spelling', () => {
    expect([readOptionName('max-length'), readOptionName('maxLength')]).toEqual([
      { ok: true, option: 'maxLength' },
      { ok: true, option: 'maxLength' },
    ]);
  });

  it.each(['constructor', '__proto__', 'to-string'])('knows no %s', (name) => {
    expect(readOptionName(name).ok).toBe(false);
  });
});

function messageOf(text: string): string | undefined {
  const result = readAssignment(text);
  return result.ok ? undefined : result.problem.message;
}
