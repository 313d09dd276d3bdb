import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { resolveQosFile } from './resolve-qos-file.js';

const sized = { maxLatency: '1s', serviceTime: '50ms' };

describe('resolveQosFile', () => {
  it('resolves every queue and sets limits by policy unless told otherwise', () => {
    const result = resolveQosFile({ queues: { 'github-events': sized, thumbnails: { maxLength: 5 } } });
    if (!result.ok) throw new Error('refused');
    expect(result.limits).toBe('policy');
    expect([...result.queues].map(([name, { maxLength }]) => [name, maxLength])).toEqual([
      ['github-events', 116],
      ['thumbnails', 5],
    ]);
  });

  it('hands out what the file says of each queue as it stands there', () => {
    const queues = { 'github-events': sized, thumbnails: { maxLength: 5 } };
    expect(resolveQosFile({ queues })).toMatchObject({ fileOptions: new Map(Object.entries(queues)) });
  });

  it('takes the other way to set limits', () => {
    expect(resolveQosFile({ limits: 'arguments', queues: { jobs: sized } })).toMatchObject({
      limits: 'arguments',
    });
  });

  it.each([
    [null, ['expected a mapping of options, got: null']],
    [[], ['expected a mapping of options, got: a list']],
    [
      {},
      [
        'queues: expected a mapping from queue names to their options, with at least one queue (required), got: nothing',
      ],
    ],
    [
      { queues: {} },
      [
        'queues: expected a mapping from queue names to their options, with at least one queue, got: a mapping',
      ],
    ],
    [
      { limit: 'policy', queues: { jobs: sized } },
      ['limit: expected a known option (did you mean limits?), got: "limit"'],
    ],
    [{ limits: 'none', queues: { jobs: sized } }, ['limits: expected policy or arguments, got: "none"']],
  ])('refuses %j', (input, messages) => {
    expect(messagesOf(input)).toEqual(messages);
  });

  it('reports the problems of all queues at once', () => {
    const input = { queues: { 'github-events': { ...sized, prefetch: 0 }, jobs: null, mail: sized } };
    expect(messagesOf(input)).toEqual([
      'queues.github-events.prefetch: expected an integer from 1 to 65535, got: 0',
      'queues.jobs: expected a mapping of options, got: null',
    ]);
  });

  it('refuses a queue that would be the dead-letter queue of another', () => {
    expect(messagesOf({ queues: { jobs: sized, 'jobs.dead': sized } })).toEqual([
      expect.stringContaining('expected a queue name that does not end in .dead'),
    ]);
  });

  it('never throws', () => {
    const documents = fc.oneof(
      fc.jsonValue(),
      fc.record({ queues: fc.dictionary(fc.string(), fc.jsonValue()) }),
      fc.anything(),
    );
    fc.assert(fc.property(documents, (input) => expect(typeof resolveQosFile(input).ok).toBe('boolean')));
  });

  it('refuses options that only operators set, while everything runs', () => {
    const input = { queues: { jobs: { maxLength: 5, paused: 'no', fleetConcurrency: 4 } } };
    expect(messagesOf(input)).toEqual([
      'queues.jobs.fleetConcurrency: expected nothing in a file, since it is set while everything runs, got: 4',
      'queues.jobs.paused: expected nothing in a file, since it is set while everything runs, got: "no"',
    ]);
  });
});

function messagesOf(input: unknown): string[] {
  const result = resolveQosFile(input);
  return result.ok ? [] : result.problems.map(({ message }) => message);
}
