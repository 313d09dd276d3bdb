import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeOverrides } from './decode-overrides.js';

const override = { value: 20, author: 'ada', reason: 'spring sale', atMs: 1_000_000 };

describe('decodeOverrides', () => {
  it('reads back what was written as JSON', () => {
    const text = fc.string();
    const fields = { value: fc.jsonValue(), author: text, reason: text, atMs: fc.nat(), untilMs: fc.nat() };
    const any = fc.record(fields, { requiredKeys: ['value', 'author', 'reason', 'atMs'] });
    const names = fc.oneof(text, fc.constantFrom('prefetch', 'constructor', '__proto__'));
    const overrides = fc.dictionary(names, fc.dictionary(names, any, { minKeys: 1 }));
    fc.assert(
      fc.property(overrides, (written) => {
        const json = JSON.stringify(written);
        const result = decodeOverrides(JSON.parse(json));
        if (!result.ok) throw new Error('refused');
        expect(JSON.stringify(result.overrides)).toBe(json);
      }),
    );
  });

  it('keeps and reports options that this version does not know or cannot change while it runs', () => {
    const newer = { ...override, value: { perKey: true } };
    const jobs = { prefetch: override, burst: newer, timeout: override };
    expect(decodeOverrides({ jobs })).toMatchObject({
      ok: true,
      overrides: { jobs },
      ignored: [
        { message: expect.stringMatching(/^queues\.jobs\.burst: expected a known option/) },
        { message: expect.stringMatching(/^queues\.jobs\.timeout cannot be changed while it runs/) },
      ],
    });
  });

  it('keeps fields that a newer version added', () => {
    const overrides = { jobs: { prefetch: { ...override, ticket: 'OPS-1' } } };
    expect(decodeOverrides(overrides)).toEqual({ ok: true, overrides, ignored: [] });
  });

  it('drops a queue without overrides', () => {
    expect(decodeOverrides({ jobs: {}, mail: { rate: override } })).toMatchObject({
      overrides: { mail: { rate: override } },
    });
    expect(decodeOverrides({ jobs: {} })).toEqual({ ok: true, overrides: {}, ignored: [] });
  });

  it.each([
    [null, 'overrides: expected a mapping from queues to overrides, got: null'],
    [[], 'overrides: expected a mapping from queues to overrides, got: a list'],
    [{ jobs: 5 }, 'overrides.jobs: expected a mapping from options to overrides, got: 5'],
    [{ jobs: { rate: '5/s' } }, 'overrides.jobs.rate: expected an override, got: "5/s"'],
    [{ jobs: { rate: omit('value') } }, 'overrides.jobs.rate.value: expected a value, got: nothing'],
    [{ jobs: { rate: omit('author') } }, 'overrides.jobs.rate.author: expected a string, got: nothing'],
    [{ jobs: { rate: { ...override, reason: 1 } } }, 'overrides.jobs.rate.reason: expected a string, got: 1'],
    [
      { jobs: { rate: { ...override, atMs: '1' } } },
      'overrides.jobs.rate.atMs: expected milliseconds since the epoch, got: "1"',
    ],
    [
      { jobs: { rate: { ...override, untilMs: null } } },
      'overrides.jobs.rate.untilMs: expected milliseconds since the epoch, got: null',
    ],
    [
      { jobs: { burst: { ...override, untilMs: Infinity } } },
      'overrides.jobs.burst.untilMs: expected milliseconds since the epoch, got: Infinity',
    ],
  ])('refuses %j', (input, message) => {
    expect(messagesOf(input)).toEqual([message]);
  });

  it('reports every problem at once', () => {
    expect(messagesOf({ jobs: 5, mail: { rate: {} } })).toHaveLength(5);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (input) => expect(typeof decodeOverrides(input).ok).toBe('boolean')),
    );
  });
});

function omit(field: keyof typeof override): object {
  return Object.fromEntries(Object.entries(override).filter(([name]) => name !== field));
}

function messagesOf(input: unknown): string[] {
  const result = decodeOverrides(input);
  return result.ok ? [] : result.problems.map(({ message }) => message);
}
