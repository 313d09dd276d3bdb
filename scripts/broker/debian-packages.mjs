import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UserError } from '../terminal/user-error.mjs';
import { download } from './download.mjs';

/** @typedef {{ name: string, version: string, path: string, sha256: string }} DebianPackage */

const PARALLEL_DOWNLOADS = 4;

/**
 * @param {string} index
 * @param {string} name
 * @returns {DebianPackage | undefined} undefined: the release has no such package
 */
export function findPackage(index, name) {
  const start = `\n${index}`.indexOf(`\nPackage: ${name}\n`);
  if (start < 0) return undefined;
  const end = index.indexOf('\n\n', start);
  const paragraph = index.slice(start, end < 0 ? undefined : end);
  const field = (/** @type {string} */ key) => new RegExp(`^${key}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
  return { name, version: field('Version'), path: field('Filename'), sha256: field('SHA256') };
}

/**
 * Downloads packages into a folder and checks each against the index.
 * @param {{ mirror: string, packages: readonly DebianPackage[], folder: string }} order
 * @returns {Promise<string[]>} the files
 */
export async function downloadPackages({ mirror, packages, folder }) {
  const files = /** @type {string[]} */ ([]);
  const waiting = [...packages];
  const worker = async () => {
    for (let item = waiting.shift(); item; item = waiting.shift()) {
      const file = join(folder, basename(item.path));
      await writeFile(file, verified(item, await download(`${mirror}/${item.path}`)));
      files.push(file);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_DOWNLOADS }, worker));
  return files;
}

/**
 * @param {DebianPackage} item
 * @param {Buffer} content
 */
function verified(item, content) {
  const actual = createHash('sha256').update(content).digest('hex');
  if (actual === item.sha256) return content;
  throw new UserError(
    `${basename(item.path)} is damaged: expected SHA-256 ${item.sha256}, got: ${actual}. Try again, or set DEBIAN_MIRROR to another mirror.`,
  );
}
