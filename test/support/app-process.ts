import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '../..');
const READY_WITHIN_MS = 60_000;

export type AppName = 'gateway' | 'events-worker' | 'thumbnails-worker';

export interface AppProcess {
  readonly pid: number;
  /** Everything it printed, stdout and stderr, line by line. */
  readonly lines: readonly string[];
  /** Resolves with the first line, past or future, that matches. */
  line(pattern: RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the exit code; null when a signal killed it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and its exit code. Nothing when it is gone already. */
  stop(): Promise<number | null>;
}

/** Starts a built application as its users do, and resolves when it has printed `ready`. */
export async function startApp(
  name: AppName,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<AppProcess> {
  return untilReady(name, spawnApp(name, environment, args));
}

/** The same without waiting for anything: for starts that must fail. */
export function spawnApp(
  name: AppName,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): AppProcess {
  const main = join(ROOT, 'apps', name, 'dist/main.js');
  return spawnNode(name, ['--enable-source-maps', main, ...args], environment);
}

/** Starts a program of `test/fixtures`, from its sources and the library's, and resolves when it has printed `ready`. */
export async function startFixture(
  name: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<AppProcess> {
  return untilReady(name, spawnTypescript(join(ROOT, 'test/fixtures', name), environment, args));
}

/** Runs a TypeScript program from its source, with the libraries' sources. */
export function spawnTypescript(
  file: string,
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): AppProcess {
  const typescript = ['--import', './test/support/typescript.mjs', '--conditions', '@spillway/source'];
  return spawnNode(basename(file), [...typescript, file, ...args], environment);
}

async function untilReady(name: string, app: AppProcess): Promise<AppProcess> {
  const end = app.exited.then((code) => {
    throw new Error(`${name} ended with ${code} before it was ready:\n${app.lines.join('\n')}`);
  });
  await Promise.race([app.line(/^ready$/), end]);
  end.catch(() => undefined);
  return app;
}

function spawnNode(
  name: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): AppProcess {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    // Nothing of the surrounding environment may decide a test.
    env: { PATH: process.env.PATH ?? '', NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new SpawnedApp(name, child);
}

class SpawnedApp implements AppProcess {
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  private readonly listeners = new Set<(line: string) => void>();

  constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
  ) {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.printed(line));
    }
    this.exited = once(child, 'close').then(([code]) => (typeof code === 'number' ? code : null));
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.name} could not be started`);
    return this.child.pid;
  }

  line(pattern: RegExp): Promise<string> {
    const seen = this.lines.find((line) => pattern.test(line));
    if (seen !== undefined) return Promise.resolve(seen);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.listeners.delete(listener);
        reject(new Error(`${this.name} printed no line like ${pattern}:\n${this.lines.join('\n')}`));
      }, READY_WITHIN_MS);
      const listener = (line: string): void => {
        if (!pattern.test(line)) return;
        clearTimeout(timer);
        this.listeners.delete(listener);
        resolve(line);
      };
      this.listeners.add(listener);
      void this.exited.then(() => clearTimeout(timer));
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async stop(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGTERM');
    return this.exited;
  }

  private printed(line: string): void {
    this.lines.push(line);
    for (const listener of this.listeners) listener(line);
  }
}
