import { UserError } from '../terminal/user-error.mjs';
import { parseVersion } from './versions.mjs';

/**
 * @typedef {import('./versions.mjs').RabbitVersion} RabbitVersion
 * @typedef {'container' | 'installed' | 'unpacked-before' | 'install' | 'unpack'} Way
 * @typedef {{ kind: 'external', url: string, managementUrl: string | undefined }
 *   | { kind: 'version', version: RabbitVersion }
 *   | { kind: 'search', ways: readonly Way[] }} SearchOrder
 */

/** What needs no change of the machine comes first, and what was unpacked once is not installed again. */
const WAYS = /** @type {const} */ (['container', 'installed', 'unpacked-before', 'install', 'unpack']);

/**
 * Where to look for a broker.
 * @param {NodeJS.ProcessEnv} env
 * @returns {SearchOrder}
 */
export function searchOrder({
  RABBITMQ_URL: url,
  RABBITMQ_MANAGEMENT_URL: managementUrl,
  RABBITMQ_VERSION: version,
}) {
  if (url && version) {
    throw new UserError(
      `RABBITMQ_URL (a broker that runs) and RABBITMQ_VERSION=${version} (one of our own) are both set. Unset one of them.`,
    );
  }
  if (url) return { kind: 'external', url, managementUrl: managementUrl || undefined };
  if (version) return { kind: 'version', version: parseVersion(version) };
  return { kind: 'search', ways: WAYS };
}
