import { describe, expect, it } from '@jest/globals';
import { ConfigurationError } from '../errors/configuration.error.js';
import { parseQosText, readQosFile, resolveQos } from './qos-file.js';

function problemsOf(text: string): string[] {
  try {
    parseQosText(text, 'spillway.yaml');
    return [];
  } catch (error) {
    return error instanceof ConfigurationError ? error.message.split('\n') : [`not typed: ${String(error)}`];
  }
}

describe('a QoS file', () => {
  it('gives the QoS of every queue', () => {
    const file = parseQosText(
      'limits: arguments\nqueues:\n  orders: { maxLength: 100 }\n  mails: { maxLength: 5 }\n',
      'spillway.yaml',
    );
    expect(file.limits).toBe('arguments');
    expect([...file.queues].map(([name, { maxLength }]) => [name, maxLength])).toEqual([
      ['orders', 100],
      ['mails', 5],
    ]);
  });

  it('has every problem named with its line', () => {
    const text = [
      'queues:',
      '  orders:',
      '    maxLength: 100',
      '    prefetch: 0',
      '  mails:',
      '    maxLength: ten',
    ].join('\n');
    expect(problemsOf(text)).toEqual([
      'spillway.yaml is not valid:',
      '  line 4: queues.orders.prefetch: expected an integer from 1 to 65535, got: 0',
      expect.stringMatching(/^ {2}line 6: queues\.mails\.maxLength: expected an integer .*, got: "ten"$/),
    ]);
  });

  it('has something missing named with the line of what it is missing in', () => {
    const [, ...problems] = problemsOf('limits: policy\nqueues:\n  orders:\n    prefetch: 5\n');
    expect(problems).not.toEqual([]);
    for (const problem of problems)
      expect(problem).toMatch(/^ {2}line 4: queues\.orders\.\w+: expected .* got: nothing$/);
  });

  it('has what is missing at its top named with the first line', () => {
    expect(problemsOf('limits: policy\n')[1]).toMatch(/^ {2}line 1: queues: expected .* got: nothing$/);
    expect(problemsOf('')[1]).toMatch(/^ {2}line 1: expected/);
  });

  it('has a key that is there twice named with its line', () => {
    const text = 'queues:\n  orders: { maxLength: 1 }\n  orders: { maxLength: 2 }\n';
    expect(problemsOf(text)[1]).toMatch(/^ {2}line 3: not YAML: Map keys must be unique/);
  });

  it('has bad syntax named with its line', () => {
    expect(problemsOf('queues:\n  orders: { maxLength: 1\n')[1]).toMatch(/^ {2}line [23]: not YAML: /);
  });

  it.each([
    ['an alias of nothing', 'queues:\n  orders: *missing\n'],
    [
      'aliases that multiply',
      'a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c]\n',
    ],
  ])('has %s named as any other problem', (_what, text) => {
    expect(problemsOf(text)[0]).toBe('spillway.yaml is not valid:');
  });

  it('that is not there is named, with how to point to another', async () => {
    const reading = readQosFile('/nowhere/spillway.yaml');
    await expect(reading).rejects.toThrow(ConfigurationError);
    await expect(reading).rejects.toThrow(
      /QoS file \/nowhere\/spillway\.yaml cannot be read: .*ENOENT.*SPILLWAY_CONFIG/,
    );
  });
});

describe('QoS given in code', () => {
  it('takes the same format', () => {
    expect(
      resolveQos({ queues: { orders: { maxLength: 100 } } }, 'config').queues.get('orders'),
    ).toMatchObject({ maxLength: 100 });
  });

  it('has its problems named without lines', () => {
    expect(() => resolveQos({ queues: { orders: { maxLength: 0 } } }, 'WorkQueueModule config')).toThrow(
      /^WorkQueueModule config is not valid:\n {2}queues\.orders\.maxLength: expected/,
    );
  });
});
