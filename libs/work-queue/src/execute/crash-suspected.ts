/** The work was begun again and again and came to no end: each time its process or its connection was gone. */
export class CrashSuspected extends Error {
  override readonly name = 'CrashSuspected';

  constructor(starts: number) {
    super(`began ${starts} times and came to no end: its worker died, or lost its connection, each time`);
  }
}
