import { say } from './say.mjs';

/** A failure that the person at the terminal can act on: printed without a stack. */
export class UserError extends Error {
  /**
   * @param {string} message what happened, the value, what to do next
   * @param {ErrorOptions} [options]
   */
  constructor(message, options) {
    super(message, options);
    this.name = 'UserError';
  }
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * Runs a command's main function; its number is the exit code, a failure is printed and gives 1.
 * @param {() => Promise<number | void>} main
 */
export async function runMain(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    say.error(
      error instanceof UserError ? error.message : String((error instanceof Error && error.stack) || error),
    );
    process.exitCode = 1;
  }
}
