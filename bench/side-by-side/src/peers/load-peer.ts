import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The peers have a package and a lock file of their own: nothing of this project may come to depend on them.
const PEERS = new URL('../../peers/', import.meta.url);
const requirePeer = createRequire(new URL('package.json', PEERS));

/** The caller vouches for the few members of the module that it describes. */
export function loadPeer<Exports>(name: string): Exports {
  const exports: Exports = requirePeer(name);
  return exports;
}

/** n.b. not through require: some packages do not export their package.json. */
export function versionOfPeer(name: string): string {
  const { version }: { version: string } = JSON.parse(
    readFileSync(new URL(`node_modules/${name}/package.json`, PEERS), 'utf8'),
  );
  return version;
}
