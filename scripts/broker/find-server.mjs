import { UserError } from '../terminal/user-error.mjs';
import { findUnpacked } from './fetch-rabbitmq.mjs';
import { findInstalled } from './rabbitmq-server.mjs';
import { DEFAULT_VERSION, parseVersion } from './versions.mjs';

/**
 * The RabbitMQ that this machine already has for us; nothing is installed or downloaded.
 * @param {string} [version] default: RABBITMQ_VERSION
 * @returns {import('./rabbitmq-server.mjs').RabbitServer}
 * @throws {UserError} if there is none
 */
export function findServer(version = process.env.RABBITMQ_VERSION) {
  const found = version
    ? findUnpacked(parseVersion(version))
    : (findInstalled() ?? findUnpacked(DEFAULT_VERSION));
  if (found) return found;
  const command = version ? `RABBITMQ_VERSION=${version} npm run broker:start` : 'npm run broker:start';
  throw new UserError(
    `No RabbitMQ${version ? ` ${version}` : ''} is here to start a private node from. Run once: ${command}`,
  );
}
