import { describe, expect, it } from '@jest/globals';
import { readCommandLine } from './command.js';

const read = (line: string) => readCommandLine(line.split(' '));

describe('the command line', () => {
  it('measures everything without options', () => {
    expect(read('publish')).toMatchObject({
      benchmark: 'publish',
      settings: { rounds: 5, seconds: 1, windows: [100, 1_000], queueTypes: ['classic', 'quorum'] },
    });
    expect(read('consume')).toMatchObject({
      benchmark: 'consume',
      settings: { rounds: 5, seconds: 1, prefetch: [1, 10, 100, 500], queue: 'both' },
    });
    expect(read('gateway')).toMatchObject({
      settings: { rounds: 5, seconds: 4, connections: 50, queueType: 'quorum' },
    });
  });

  it('takes lists', () => {
    const { settings } = read('publish --windows 1,10 --clients ours,amqplib --strict --json out.json');
    expect(settings).toMatchObject({ windows: [1, 10], clients: ['ours', 'amqplib'] });
    expect(read('consume --prefetch 1,100 --queue quorum --clients ours-bare').settings).toMatchObject({
      prefetch: [1, 100],
      queue: 'quorum',
      clients: ['ours-bare'],
    });
  });
});
