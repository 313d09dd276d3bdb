import { UserError } from '../terminal/user-error.mjs';

/** @typedef {'3.10' | '4.0' | '4.3'} RabbitVersion a version that can be unpacked beside the system */

/** @type {ReadonlyMap<string, string>} the release of Debian that packages each version */
const SUITES = new Map([
  ['3.10', 'bookworm'],
  ['4.0', 'trixie'],
  ['4.3', 'forky'],
]);

/**
 * Debian's stable release: its packages stay where they are for years.
 * @type {RabbitVersion}
 */
export const DEFAULT_VERSION = '4.0';

/**
 * @param {string} text
 * @returns {RabbitVersion}
 */
export function parseVersion(text) {
  if (SUITES.has(text)) return /** @type {RabbitVersion} */ (text);
  const known = [...SUITES.keys()].join(', ');
  throw new UserError(`expected RABBITMQ_VERSION to be one of ${known} (or unset), got: ${text}`);
}

/** @param {RabbitVersion} version */
export const suiteOf = (version) => SUITES.get(version) ?? '';
