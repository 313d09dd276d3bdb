import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from '../system/file-lock.mjs';
import { runCommand } from '../system/run-command.mjs';
import { say, secondsSince } from '../terminal/say.mjs';
import { UserError } from '../terminal/user-error.mjs';
import { findDebianMirror } from './debian-mirror.mjs';
import { downloadPackages } from './debian-packages.mjs';
import { fetchIndex } from './debian-release.mjs';
import { UNPACKED_DIR } from './folders.mjs';
import { choosePackages } from './rabbitmq-packages.mjs';
import { relocateErl, wrapPrograms } from './unpacked-elf.mjs';
import { suiteOf } from './versions.mjs';

/** @typedef {import('./versions.mjs').RabbitVersion} RabbitVersion */
/** @typedef {import('./rabbitmq-server.mjs').RabbitServer} RabbitServer */

const ERLANG = 'usr/lib/erlang';

/** What Debian calls the machines that we know the loader of. */
const MACHINES = /** @type {Record<string, { architecture: string, triplet: string, loader: string }>} */ ({
  x64: { architecture: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { architecture: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
});

/**
 * The server of an earlier fetch.
 * @param {RabbitVersion} version
 * @returns {RabbitServer | undefined}
 */
export function findUnpacked(version) {
  const tree = join(UNPACKED_DIR, version);
  if (!existsSync(tree)) return undefined;
  return {
    program: join(tree, 'usr/lib/rabbitmq/bin/rabbitmq-server'),
    erlangFolder: join(tree, ERLANG, 'bin'),
    version,
    key: version,
  };
}

/**
 * Downloads RabbitMQ and Erlang from a Debian mirror and unpacks them beside the system: no root, no container.
 * @param {RabbitVersion} version
 * @returns {Promise<RabbitServer>}
 */
export async function fetchRabbitmq(version) {
  return withLock(join(UNPACKED_DIR, `${version}.lock`), async () => {
    const known = findUnpacked(version);
    if (known) return known;
    await unpackInto(join(UNPACKED_DIR, version), version);
    return /** @type {RabbitServer} */ (findUnpacked(version));
  });
}

/**
 * @param {string} target
 * @param {RabbitVersion} version
 */
async function unpackInto(target, version) {
  const machine = machineOrThrow();
  const started = performance.now();
  const mirror = findDebianMirror();
  say.step(`Fetching RabbitMQ ${version} and Erlang from a Debian mirror, into ${target} …`);
  // Renamed at the end, so that an interrupted fetch is never taken for a complete one.
  const draft = `${target}.part`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    const release = { mirror, suite: suiteOf(version), architecture: machine.architecture };
    const index = await fetchIndex({ ...release, folder: draft });
    const files = await downloadPackages({ mirror, packages: choosePackages(index, version), folder: draft });
    const tree = join(draft, 'tree');
    for (const file of files) await unpack(file, tree);
    makeRunnable(tree, machine);
    renameSync(tree, target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  say.done(`RabbitMQ ${version} is unpacked (${secondsSince(started)})`);
}

function machineOrThrow() {
  const machine = process.platform === 'linux' ? MACHINES[process.arch] : undefined;
  if (machine) return machine;
  throw new UserError(
    `RabbitMQ can be unpacked without root on Linux (x64, arm64) only, this is ${process.platform} ${process.arch}. Install rabbitmq-server, start Docker, or set RABBITMQ_URL.`,
  );
}

/**
 * @param {string} file
 * @param {string} tree
 */
async function unpack(file, tree) {
  const { code, output } = await runCommand('dpkg-deb', ['--extract', file, tree]);
  if (code === 0) return;
  if (code === 127)
    throw new UserError('dpkg-deb is needed to unpack RabbitMQ and was not found: install dpkg.');
  throw new UserError(`dpkg-deb could not unpack ${file} (exit code ${code}): ${output.trim()}`);
}

/**
 * @param {string} tree
 * @param {{ triplet: string, loader: string }} machine
 */
function makeRunnable(tree, { triplet, loader }) {
  // Releases before trixie still keep some libraries in /lib.
  const libraries = [`usr/lib/${triplet}`, `lib/${triplet}`].filter((path) => existsSync(join(tree, path)));
  const home = libraries.find((path) => readdirSync(join(tree, path)).includes(loader));
  if (!home)
    throw new UserError(`The unpacked libc6 holds no ${loader}; set RABBITMQ_VERSION to another version.`);
  wrapPrograms(tree, { folder: ERLANG, libraries, loader: `${home}/${loader}` });
  relocateErl(tree, ERLANG);
}
