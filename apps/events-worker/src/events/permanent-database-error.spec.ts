import { describe, expect, it } from '@jest/globals';
import { DatabaseUnavailableError } from '../database/database-unavailable.error.js';
import { isPermanentDatabaseError } from './permanent-database-error.js';

describe('isPermanentDatabaseError', () => {
  it.each([
    ['22P02', 'text that is not JSON'],
    ['22021', 'bytes that are not UTF-8'],
    ['54000', 'a key too large for its index'],
    ['54001', 'nesting too deep for the stack'],
  ])('%s, %s, fails for ever', (code) => {
    expect(isPermanentDatabaseError(Object.assign(new Error('refused'), { code }))).toBe(true);
  });

  it.each([
    ['53100', 'a full disk'],
    ['57P01', 'a server that shuts down'],
    ['40001', 'a conflict with another transaction'],
    ['42P01', 'a table that somebody has to create'],
    ['ECONNREFUSED', 'no server'],
    ['22', 'no SQLSTATE'],
  ])('%s, %s, can pass', (code) => {
    expect(isPermanentDatabaseError(Object.assign(new Error('refused'), { code }))).toBe(false);
  });

  it.each([
    [new Error('no code')],
    [new DatabaseUnavailableError({ code: 'DATABASE_UNREACHABLE', message: 'gone' })],
    ['22P02'],
    [undefined],
    [null],
  ])('what the database did not say can pass: %p', (error) => {
    expect(isPermanentDatabaseError(error)).toBe(false);
  });
});
