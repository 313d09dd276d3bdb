import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../terminal/user-error.mjs';

/** Releases of Debian itself. Third parties name their suites otherwise, and their servers hold no erlang. */
const DEBIAN_SUITES =
  /^(bullseye|bookworm|trixie|forky|duke|sid|oldoldstable|oldstable|stable|testing|unstable)(-updates|-backports)?$/;

/**
 * The Debian mirror to fetch packages from, without a slash at the end: DEBIAN_MIRROR, else apt's own.
 * @param {NodeJS.ProcessEnv} [env]
 * @param {string} [aptFolder]
 */
export function findDebianMirror(env = process.env, aptFolder = '/etc/apt') {
  const found = env.DEBIAN_MIRROR || aptSources(aptFolder).flatMap(mirrorsOf)[0];
  if (found) return found.replace(/\/+$/, '');
  throw new UserError(
    `No Debian mirror is known: ${aptFolder} names none. Set DEBIAN_MIRROR to the address of one, the part before /dists/.`,
  );
}

/**
 * The mirrors of Debian's main archive that a file of apt's sources names, best first.
 * @param {{ name: string, text: string }} source
 * @returns {string[]}
 */
export function mirrorsOf({ name, text }) {
  const entries = name.endsWith('.sources') ? deb822Entries(text) : oneLineEntries(text);
  return entries
    .filter(
      (entry) => entry.components.includes('main') && entry.suites.some((suite) => DEBIAN_SUITES.test(suite)),
    )
    .flatMap((entry) => entry.uris.flatMap(resolveMirrorList))
    .filter((uri) => /^https?:/.test(uri));
}

/** @typedef {{ uris: string[], suites: string[], components: string[] }} Entry */

/**
 * @param {string} text `deb [options] URI SUITE COMPONENT…`
 * @returns {Entry[]}
 */
function oneLineEntries(text) {
  return text.split('\n').flatMap((line) => {
    const [, uri, suite, components] = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line) ?? [];
    return uri && suite && components
      ? [{ uris: [uri], suites: [suite], components: words(components) }]
      : [];
  });
}

/**
 * @param {string} text paragraphs of `Field: value`, as in sources.list.d/debian.sources
 * @returns {Entry[]}
 */
function deb822Entries(text) {
  const paragraphs = text.replaceAll(/^#.*\n?/gm, '').split(/\n\s*\n/);
  return paragraphs.flatMap((paragraph) => {
    const field = (/** @type {string} */ name) =>
      words(new RegExp(`^${name}:(.*(?:\n[ \t].*)*)`, 'im').exec(paragraph)?.[1] ?? '');
    if (field('Enabled')[0] === 'no' || !field('Types').includes('deb')) return [];
    return [{ uris: field('URIs'), suites: field('Suites'), components: field('Components') }];
  });
}

/** @param {string} text */
const words = (text) => text.trim().split(/\s+/).filter(Boolean);

/**
 * Cloud images name a file with the mirrors: `mirror+file:/etc/apt/mirrors/debian.list`.
 * @param {string} uri
 */
function resolveMirrorList(uri) {
  const file = /^mirror\+file:(?:\/\/)?(\/.*)$/.exec(uri)?.[1];
  return file && existsSync(file) ? words(readFileSync(file, 'utf8')) : [uri];
}

/** @param {string} folder */
function aptSources(folder) {
  const parts = join(folder, 'sources.list.d');
  const inParts = existsSync(parts)
    ? readdirSync(parts)
        .sort()
        .map((name) => join(parts, name))
    : [];
  return [join(folder, 'sources.list'), ...inParts]
    .filter((name) => /\.(list|sources)$/.test(name) && existsSync(name))
    .map((name) => ({ name, text: readFileSync(name, 'utf8') }));
}
