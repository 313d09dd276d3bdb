import { describe, expect, it } from '@jest/globals';
import { readWorkerOptions, WorkerOptionsError } from './options.js';

function read(environment: Record<string, string> = {}, args: string[] = []) {
  return readWorkerOptions({ args, environment });
}

function problemsOf(environment: Record<string, string>, args: string[] = []): readonly string[] {
  try {
    read(environment, args);
  } catch (error) {
    if (error instanceof WorkerOptionsError) return error.problems;
    throw error;
  }
  return [];
}

describe('readWorkerOptions', () => {
  it('has a default for everything', () => {
    expect(read()).toEqual({
      databaseUrl: undefined,
      dataDir: '.spillway',
      serviceTime: { distribution: undefined, mode: 'waiting' },
      logLevels: ['fatal', 'error', 'warn', 'log'],
    });
  });

  it('reads the environment', () => {
    const environment = {
      DATABASE_URL: 'postgresql://db/events',
      SPILLWAY_DATA_DIR: '/data',
      SERVICE_TIME: '20ms',
      SERVICE_TIME_MODE: 'cpu',
      LOG_LEVEL: 'error',
    };
    expect(read(environment)).toEqual({
      databaseUrl: 'postgresql://db/events',
      dataDir: '/data',
      serviceTime: { distribution: { kind: 'constant', durationMs: 20 }, mode: 'cpu' },
      logLevels: ['fatal', 'error'],
    });
  });

  it('an argument wins over its variable', () => {
    const args = ['--service-time', 'exponential(1s)', '--service-time-mode=waiting'];
    expect(read({ SERVICE_TIME: '20ms', SERVICE_TIME_MODE: 'cpu' }, args).serviceTime).toEqual({
      distribution: { kind: 'exponential', meanMs: 1_000 },
      mode: 'waiting',
    });
  });

  it('an empty variable is as good as none', () => {
    const names = ['DATABASE_URL', 'SPILLWAY_DATA_DIR', 'SERVICE_TIME', 'SERVICE_TIME_MODE', 'LOG_LEVEL'];
    expect(read(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(read());
  });

  it('info is another word for log', () => {
    expect(read({ LOG_LEVEL: 'info' }).logLevels).toEqual(read({ LOG_LEVEL: 'log' }).logLevels);
  });

  it('nothing can be changed afterwards', () => {
    const options = read({ SERVICE_TIME: '20ms' });
    expect([options, options.serviceTime, options.serviceTime.distribution].every(Object.isFrozen)).toBe(
      true,
    );
  });

  it('names all problems at once, each with its place and the value', () => {
    const environment = { DATABASE_URL: 'mysql://root:secret@db/x', SERVICE_TIME: '20', LOG_LEVEL: 'loud' };
    expect(problemsOf(environment, ['--service-time-mode', 'gpu'])).toEqual([
      'DATABASE_URL: expected postgres://user:password@host:5432/database, got: mysql:…',
      'SERVICE_TIME: expected a duration such as 20ms or a distribution uniform(5ms,40ms) / exponential(20ms), got: "20"',
      '--service-time-mode: expected waiting or cpu, got: "gpu"',
      'LOG_LEVEL: expected one of fatal, error, warn, log, debug, verbose, info, got: "loud"',
    ]);
  });

  it('an empty argument is a wrong one', () => {
    expect(problemsOf({}, ['--service-time', ''])).toEqual([
      expect.stringContaining('--service-time: expected'),
    ]);
  });

  it.each([
    [['--speed', '3'], "unknown option '--speed'"],
    [['now'], 'too many arguments'],
    [['--service-time'], "option '--service-time <spec>' argument missing"],
  ])('arguments nobody knows are a problem: %p', (args, problem) => {
    expect(problemsOf({ LOG_LEVEL: 'loud' }, args)).toEqual([
      expect.stringContaining(problem),
      expect.stringContaining('LOG_LEVEL'),
    ]);
  });

  it('a password never gets into the message', () => {
    expect(problemsOf({ DATABASE_URL: 'db.example:secret@x' }).join()).not.toContain('secret');
    expect(problemsOf({ DATABASE_URL: 'secret' }).join()).not.toContain('secret');
  });
});
