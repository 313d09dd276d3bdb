import { describe, expect, it } from '@jest/globals';
import { readWorkerOptions, WorkerOptionsError } from './options.js';

describe('the options of the thumbnails worker', () => {
  it('have a default for everything', () => {
    const defaults = {
      thumbnailsFolder: '.spillway/thumbnails',
      logLevels: ['fatal', 'error', 'warn', 'log'],
    };
    expect(readWorkerOptions({})).toEqual(defaults);
    expect(readWorkerOptions({ THUMBNAILS_FOLDER: '', SPILLWAY_DATA_DIR: '', LOG_LEVEL: '' })).toEqual(
      defaults,
    );
  });

  it('are variables and no arguments', () => {
    expect(() => readWorkerOptions({}, ['--help'])).toThrow(/expected no arguments, got: --help/);
  });

  it('keep the thumbnails with the other data', () => {
    expect(readWorkerOptions({ SPILLWAY_DATA_DIR: '/data' }).thumbnailsFolder).toBe('/data/thumbnails');
  });

  it('keep the thumbnails where they are told to', () => {
    const environment = { SPILLWAY_DATA_DIR: '/data', THUMBNAILS_FOLDER: '/pictures', LOG_LEVEL: 'error' };
    expect(readWorkerOptions(environment)).toEqual({
      thumbnailsFolder: '/pictures',
      logLevels: ['fatal', 'error'],
    });
  });

  it('name a wrong variable', () => {
    const read = () => readWorkerOptions({ LOG_LEVEL: 'loud' });
    expect(read).toThrow(WorkerOptionsError);
    expect(read).toThrow(/LOG_LEVEL: expected one of .*, got: "loud"/);
  });
});
