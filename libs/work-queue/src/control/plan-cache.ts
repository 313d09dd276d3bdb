import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeThrown } from '../errors/describe-thrown.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { coalesced } from '../timing/coalesced.js';
import { entryFrom } from './plan-entry.js';
import type { PlacedEntry } from './plan-fold.js';
import type { PlanStore } from './plan-in-force.js';

/** Whose plan it is. */
export interface PlanSource {
  /** Host and port. */
  readonly broker: string;
  readonly vhost: string;
  readonly stream: string;
}

const VERSION = 1;

/**
 * The last plan a process knew, in one file for each broker, vhost and stream. Nothing that happens to the file fails
 * anybody: it is reported, and the next save makes it anew.
 */
export class PlanCache implements PlanStore {
  readonly path: string;
  private latest: PlacedEntry | undefined;
  private readonly write = coalesced(() => this.writeLatest());

  constructor(
    private readonly folder: string,
    private readonly source: PlanSource,
    private readonly telemetry: Telemetry,
  ) {
    const { broker, vhost, stream } = source;
    this.path = join(folder, `${[broker, vhost, stream].map(encodeURIComponent).join('~')}.json`);
  }

  async load(): Promise<PlacedEntry | undefined> {
    try {
      return this.placedFrom(JSON.parse(await readFile(this.path, 'utf8')));
    } catch (error) {
      if (!isAbsent(error)) this.report(describeThrown(error));
      return undefined;
    }
  }

  async save(placed: PlacedEntry): Promise<void> {
    this.latest = placed;
    await this.write();
  }

  private placedFrom(value: unknown): PlacedEntry {
    const { version, source, offset, entry } = Object(value);
    if (version !== VERSION) throw new Error(`expected version ${VERSION}, got: ${String(version)}`);
    const { broker, vhost, stream } = Object(source);
    const own = this.source;
    if (broker !== own.broker || vhost !== own.vhost || stream !== own.stream) {
      throw new Error('it is the plan of another broker, vhost or stream');
    }
    const read = entryFrom(entry);
    if (typeof read === 'string') throw new Error(read);
    if (!Number.isSafeInteger(offset) || offset < 0) throw new Error('expected offset to be one');
    return { offset, entry: read };
  }

  private async writeLatest(): Promise<void> {
    const temporary = `${this.path}.${randomUUID()}.tmp`;
    try {
      await mkdir(this.folder, { recursive: true });
      const content = { version: VERSION, source: this.source, ...this.latest };
      await writeToDisk(temporary, `${JSON.stringify(content, undefined, 2)}\n`);
      await rename(temporary, this.path);
    } catch (error) {
      this.report(describeThrown(error));
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  private report(reason: string): void {
    this.telemetry.emit('plan.cache-failed', { path: this.path, reason });
  }
}

/** Not only to the system: a rename that outlives a power cut must not lead to an empty file. */
async function writeToDisk(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

function isAbsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
