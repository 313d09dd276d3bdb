import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `database.json` in the data folder: where the rows of the embedded database can be read while it is open.
 * A killed worker leaves it behind, so its `pid` may be of nobody.
 */
export class AddressFile {
  private readonly path: string;

  constructor(dataDir: string) {
    this.path = join(dataDir, 'database.json');
  }

  /** Replaces the file at once: nobody reads half an address. */
  write(url: string): void {
    const address = { url, pid: process.pid };
    const incomplete = `${this.path}.${process.pid}`;
    writeFileSync(incomplete, `${JSON.stringify(address)}\n`);
    renameSync(incomplete, this.path);
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
