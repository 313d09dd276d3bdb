import { UserError } from '../terminal/user-error.mjs';
import { findPackage } from './debian-packages.mjs';
import { suiteOf } from './versions.mjs';

/** @typedef {import('./versions.mjs').RabbitVersion} RabbitVersion */

/** What RabbitMQ needs of each kind. Libraries are renamed from release to release: one of the alternatives is there. */
const ERLANG_PARTS =
  'asn1 base crypto eldap ftp inets mnesia os-mon parsetools public-key runtime-tools snmp ssl syntax-tools tftp tools xmerl';
const LIBRARIES =
  'libc6 libssl3t64|libssl3 libstdc++6 libgcc-s1 zlib1g libtinfo6 libsystemd0 libcap2 libzstd1 libsctp1 liblzma5 liblz4-1 libgcrypt20 libgpg-error0';
const PACKAGES = [
  'rabbitmq-server',
  ...ERLANG_PARTS.split(' ').map((part) => `erlang-${part}`),
  ...LIBRARIES.split(' '),
];

/**
 * The packages to unpack for a version.
 * @param {string} index of the release
 * @param {RabbitVersion} version
 */
export function choosePackages(index, version) {
  const suite = suiteOf(version);
  const chosen = PACKAGES.map((names) => pick(index, suite, names));
  const actual = chosen[0]?.version ?? '';
  if (actual.startsWith(`${version}.`)) return chosen;
  throw new UserError(
    `Debian's ${suite} holds RabbitMQ ${actual} now, and no longer ${version}: set RABBITMQ_VERSION to another.`,
  );
}

/**
 * @param {string} index
 * @param {string} suite
 * @param {string} names alternatives, separated by |
 */
function pick(index, suite, names) {
  for (const name of names.split('|')) {
    const found = findPackage(index, name);
    if (found) return found;
  }
  throw new UserError(
    `Debian's ${suite} has no package ${names} on this mirror. Set DEBIAN_MIRROR to another.`,
  );
}
