import { ensureBuilt } from './ensure-built.mjs';
import { ensureInstalled } from './ensure-installed.mjs';
import { assertNodeVersion } from './node-version.mjs';

/** From a fresh clone to something that can run: what every command does first. Quick when there is nothing to do. */
export async function prepare() {
  assertNodeVersion();
  await ensureInstalled();
  await ensureBuilt();
}
