import { expect, test } from '@jest/globals';

import { readCommandLine } from './command.js';
import { type Environment, resolveSettings } from './resolve-settings.js';

function resolve(commandLine: string, env: Environment = {}) {
  return resolveSettings(readCommandLine(commandLine.split(' ').filter(Boolean)), env);
}

function problemsOf(commandLine: string): string[] {
  const resolved = resolve(commandLine);
  return resolved.ok ? [] : resolved.problems;
}

test('without options it sends 200/s for 10 s, unsigned, once each, to port 3000', () => {
  expect(resolve('')).toMatchObject({
    ok: true,
    settings: {
      gateway: { origin: 'http://127.0.0.1:3000' },
      ratePerSec: 200,
      amount: { kind: 'duration', durationMs: 10_000 },
      arrivals: { kind: 'constant' },
      maxConnections: 256,
      requestTimeoutMs: 10_000,
      retry: { kind: 'never' },
      secret: undefined,
      isRowCheckWanted: true,
      settleTimeoutMs: 30_000,
      isJson: false,
    },
  });
});

test('PORT and GITHUB_WEBHOOK_SECRET are used, and options win over them', () => {
  const env = { PORT: '4000', GITHUB_WEBHOOK_SECRET: 'from-env' };
  expect(resolve('', env)).toMatchObject({ settings: { gateway: { port: 4000 }, secret: 'from-env' } });
  const given = resolve('--url http://127.0.0.1:5000 --secret given', env);
  expect(given).toMatchObject({ settings: { gateway: { port: 5000 }, secret: 'given' } });
});

test('an empty variable counts as not set', () => {
  const resolved = resolve('', { PORT: '', GITHUB_WEBHOOK_SECRET: '' });
  expect(resolved).toMatchObject({ settings: { gateway: { port: 3000 }, secret: undefined } });
});

test('a count takes the place of the duration', () => {
  expect(resolve('--count 1000')).toMatchObject({
    settings: { amount: { kind: 'count', countDeliveries: 1000 } },
  });
});

test('retry and poisson carry their own defaults', () => {
  expect(resolve('--retry --arrivals poisson')).toMatchObject({
    settings: { retry: { kind: 'retry-after', maxRetries: 5 }, arrivals: { kind: 'poisson', seed: 1 } },
  });
});

test('all wrong options are told at once', () => {
  const problems = problemsOf('--rate banana --duration 10 --connections 0 --timeout never');
  expect(problems.map((problem) => problem.split(':')[0])).toEqual([
    '--rate',
    '--duration',
    '--connections',
    '--timeout',
  ]);
});

test('rate x duration is at most a million deliveries', () => {
  expect(problemsOf('--rate 10000 --duration 100s')).toEqual([]);
  expect(problemsOf('--rate 10000 --duration 101s')).toEqual([
    '--rate x --duration: expected at most 1000000 deliveries, given "10000/s x 101 s = 1010000"',
  ]);
});

test.each([
  '--count 5 --duration 3s',
  '--max-retries 3',
  '--seed 3',
  '--arrivals burst',
  '--count 0',
  'extra',
])('"%s" does not fit together', (commandLine) => {
  expect(problemsOf(commandLine)).toHaveLength(1);
});
