import type { INestApplicationContext } from '@nestjs/common';
import { WorkQueueError } from '../errors/work-queue.error.js';
import { Telemetry } from '../telemetry/telemetry.js';

/** An error whose message says all there is to say; others keep their stack, since they are defects. */
export type IsForPeople = (error: unknown) => boolean;

const FAILED = 1;
const INTERRUPTED = 130;

/**
 * Runs an application as a process: prints the line `ready` when `start` has resolved, ends with 0 after SIGTERM or SIGINT
 * once everything is closed, at once on a second signal, and with 1 and one clear message when the start fails. A handler
 * that does not end long after its timeout (`timeoutGrace`) ends the process too, with 1 once all others have finished:
 * only that frees its place, and whoever supervises the process starts another.
 * Use it instead of `enableShutdownHooks`, with `abortOnError: false`.
 *
 * @param isForPeople errors of your own to show without a stack; this package's are always shown so
 */
export async function runApplication(
  name: string,
  start: () => Promise<INestApplicationContext>,
  isForPeople: IsForPeople = () => false,
): Promise<void> {
  const shutdown = new Shutdown(name);
  try {
    const application = await start();
    // A line of its own, for whoever started the process to wait for.
    process.stdout.write('ready\n');
    shutdown.started(application);
  } catch (error) {
    process.stderr.write(`${name}: cannot start\n${describe(error, isForPeople)}\n`);
    process.exit(FAILED);
  }
}

/** starting -> running -> closing; a signal while starting ends the process, since nothing was accepted yet. */
class Shutdown {
  private application: INestApplicationContext | undefined;
  private isClosing = false;

  constructor(private readonly name: string) {
    process.on('SIGTERM', (signal) => this.signalled(signal));
    process.on('SIGINT', (signal) => this.signalled(signal));
  }

  started(application: INestApplicationContext): void {
    this.application = application;
    const telemetry = application.get(Telemetry, { strict: false });
    telemetry.on('handler.stuck', ({ queue }) => this.stuck(application, queue));
  }

  private signalled(signal: NodeJS.Signals): void {
    if (!this.application) process.exit(0);
    if (this.isClosing) process.exit(INTERRUPTED);
    this.isClosing = true;
    process.stdout.write(`${this.name}: ${signal}, finishing what has begun\n`);
    void this.close(this.application, 0);
  }

  private stuck(application: INestApplicationContext, queue: string): void {
    if (this.isClosing) return;
    this.isClosing = true;
    process.stderr.write(
      `${this.name}: a handler of ${queue} does not end; finishing the others and ending\n`,
    );
    void this.close(application, FAILED);
  }

  private async close(application: INestApplicationContext, code: number): Promise<void> {
    try {
      await application.close();
      process.exit(code);
    } catch (error) {
      process.stderr.write(`${this.name}: did not stop cleanly\n${String(error)}\n`);
      process.exit(FAILED);
    }
  }
}

function describe(error: unknown, isForPeople: IsForPeople): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof WorkQueueError || isForPeople(error)) return error.message;
  return error.stack ?? error.message;
}
