import { errorFacts } from '../database/error-facts.js';

/**
 * SQLSTATE classes that speak of the data: 22 data exception (not JSON, a byte that is not UTF-8), 54 program limit
 * exceeded (nested too deep, too large). Full disks (53), lost connections (08) and shutdowns (57) pass.
 */
const ABOUT_THE_DATA = /^(22|54)[0-9A-Z]{3}$/;

/** Whether the database refused the data itself, so that the same row can never succeed. */
export function isPermanentDatabaseError(error: unknown): boolean {
  return ABOUT_THE_DATA.test(errorFacts(error).code ?? '');
}
