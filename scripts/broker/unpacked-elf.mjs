import { closeSync, openSync, readdirSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/*
 * Programs of one Debian release on a host with another C library. An ELF program names its loader by an absolute
 * path, the host's, which refuses programs built for a newer one. So each `X` becomes `X.elf` behind a shell script
 * `X` that runs it with the loader and the libraries unpacked beside it. All paths are found from the script's own:
 * the tree may be moved.
 */

const PT_INTERP = 3;

/**
 * @param {string} tree a root folder that Debian packages were unpacked into
 * @param {{ folder: string, libraries: readonly string[], loader: string }} names paths from the tree's root
 */
export function wrapPrograms(tree, { folder, libraries, loader }) {
  for (const file of filesUnder(join(tree, folder))) {
    if (!hasInterpreter(file)) continue;
    renameSync(file, `${file}.elf`);
    writeFileSync(file, wrapper({ up: relative(dirname(file), tree), libraries, loader }), { mode: 0o755 });
  }
}

/** @param {{ up: string, libraries: readonly string[], loader: string }} names */
function wrapper({ up, libraries, loader }) {
  const path = libraries.map((library) => `$root/${library}`).join(':');
  return `#!/bin/sh
self=$(readlink -f "$0")
root=$(cd "\${self%/*}/${up}" && pwd -P)
exec "$root/${loader}" --inhibit-cache --library-path "${path}" --argv0 "$0" "$self.elf" "$@"
`;
}

/**
 * Erlang's start scripts hold the folder that they were built for.
 * @param {string} tree
 * @param {string} folder Erlang's, from the tree's root
 */
export function relocateErl(tree, folder) {
  for (const file of filesUnder(join(tree, folder)).filter((name) => name.endsWith('/bin/erl'))) {
    const up = relative(dirname(file), join(tree, folder));
    const root = `$(cd "$(dirname "$(readlink -f "$0")")/${up}" && pwd -P)`;
    const text = readFileSync(file, 'utf8').replaceAll(
      /ROOTDIR=\S*\/usr\/lib\/erlang\b\S*/g,
      () => `ROOTDIR=${root}`,
    );
    writeFileSync(file, text);
  }
}

/**
 * Regular files; symbolic links are left out.
 * @param {string} folder
 * @returns {string[]}
 */
function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesUnder(path);
    return entry.isFile() ? [path] : [];
  });
}

/**
 * Whether a file is a program that needs a loader: libraries and objects name no interpreter.
 * @param {string} file
 */
function hasInterpreter(file) {
  const head = Buffer.alloc(4096);
  const descriptor = openSync(file, 'r');
  const length = readSync(descriptor, head, 0, head.length, 0);
  closeSync(descriptor);
  return length >= 64 && programHeaderTypes(head).includes(PT_INTERP);
}

/**
 * The types in the program header table of a 64-bit little-endian ELF file; none for any other file.
 * @param {Buffer} head its first bytes
 */
export function programHeaderTypes(head) {
  if (head.readUInt32BE(0) !== 0x7f454c46 || head[4] !== 2) return [];
  const [offset, size, count] = [
    Number(head.readBigUInt64LE(32)),
    head.readUInt16LE(54),
    head.readUInt16LE(56),
  ];
  return Array.from({ length: count }, (_, index) => offset + index * size)
    .filter((position) => position + 4 <= head.length)
    .map((position) => head.readUInt32LE(position));
}
