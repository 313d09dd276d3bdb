import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ROOT, STATE_DIR } from '../project.mjs';

/**
 * RabbitMQ's shell scripts do not quote their own paths, so a checkout in a folder with a space in its name keeps
 * the broker's files in the user's cache instead.
 * @param {string} root
 * @param {string} inside the folder to use if the root's name is harmless
 */
export function harmlessFolder(root, inside) {
  if (/^[\w./@%+,=~-]+$/.test(root)) return inside;
  return join(homedir(), '.cache', 'spillway', createHash('sha256').update(root).digest('hex').slice(0, 12));
}

const FOLDER = harmlessFolder(ROOT, STATE_DIR);

/** One folder for each private node of this checkout. */
export const NODES_DIR = join(FOLDER, 'broker');

/** RabbitMQ packages unpacked beside the system, one folder for each version. */
export const UNPACKED_DIR = join(FOLDER, 'rabbitmq');
