import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { runCommand } from '../system/run-command.mjs';
import { say } from '../terminal/say.mjs';
import { UserError } from '../terminal/user-error.mjs';
import { download } from './download.mjs';

/** Public keys of Debian, on every Debian system. */
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/**
 * The list of a release's packages. Mirrors are mostly plain http, so the list is checked against Debian's signature,
 * as apt does it; only the age of the signature does not matter here.
 * @param {{ mirror: string, suite: string, architecture: string, folder: string }} release folder: for drafts
 * @returns {Promise<string>}
 */
export async function fetchIndex({ mirror, suite, architecture, folder }) {
  const path = `main/binary-${architecture}/Packages.gz`;
  const [signed, packed] = await Promise.all([
    download(`${mirror}/dists/${suite}/InRelease`),
    download(`${mirror}/dists/${suite}/${path}`),
  ]);
  const release = await verifiedText(signed, folder);
  const actual = createHash('sha256').update(packed).digest('hex');
  if (release !== undefined && !hasChecksum(release, { path, sha256: actual })) {
    throw new UserError(
      `${mirror} does not give ${path} of ${suite} as Debian signed it. It may be in the middle of an update: try again later, or set DEBIAN_MIRROR to another mirror.`,
    );
  }
  // n.b. latin1: one byte a character, so that tens of megabytes are searched and not decoded.
  return gunzipSync(packed).toString('latin1');
}

/**
 * @param {string} release
 * @param {{ path: string, sha256: string }} file
 */
export function hasChecksum(release, { path, sha256 }) {
  return release.split('\n').some((line) => {
    const [checksum, , name] = line.trim().split(/\s+/);
    return name === path && checksum === sha256;
  });
}

/**
 * What a good signature of Debian covers of a file.
 * @param {Buffer} signed
 * @param {string} folder
 * @returns {Promise<string | undefined>} undefined: this machine cannot check signatures
 */
async function verifiedText(signed, folder) {
  const [file, text] = [join(folder, 'InRelease'), join(folder, 'Release')];
  writeFileSync(file, signed);
  const args = ['--keyring', KEYRING, '--status-fd', '1', '--output', text, file];
  const { code, stdout, output } = existsSync(KEYRING)
    ? await runCommand('gpgv', args)
    : NOTHING_TO_CHECK_WITH;
  if (code === NOTHING_TO_CHECK_WITH.code) {
    say.warn(
      `The packages' checksums are checked, Debian's signature is not: gpgv or ${KEYRING} is missing.`,
    );
    return undefined;
  }
  // Releases carry signatures by several keys; an older keyring does not know the newest. One good one is enough.
  if (/^\[GNUPG:\] VALIDSIG /m.test(stdout) && !/^\[GNUPG:\] BADSIG /m.test(stdout))
    return readFileSync(text, 'utf8');
  throw new UserError(`The mirror's InRelease has no good signature of Debian. gpgv said:\n${output.trim()}`);
}

const NOTHING_TO_CHECK_WITH = { code: 127, stdout: '', output: '' };
