import { existsSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';

/**
 * @typedef {object} RabbitServer a RabbitMQ that can be started
 * @property {string} program the rabbitmq-server script
 * @property {string} erlangFolder the folder of `erl`
 * @property {string} version as far as it is known
 * @property {string} key names the folder of its node: data of one version is not given to another
 */

const USUAL_FOLDERS = [
  '/usr/lib/rabbitmq/bin',
  '/usr/local/lib/rabbitmq/bin',
  '/usr/local/sbin',
  '/usr/sbin',
  '/opt/homebrew/opt/rabbitmq/sbin',
  '/usr/local/opt/rabbitmq/sbin',
];
const ERLANG_FOLDERS = ['/usr/bin', '/usr/local/bin', '/usr/lib/erlang/bin', '/opt/homebrew/bin'];

/**
 * The rabbitmq-server that is installed on this machine.
 * @param {{ path?: string, serverFolders?: string[], erlangFolders?: string[] }} [where]
 * @returns {RabbitServer | undefined}
 */
export function findInstalled({
  path = process.env.PATH ?? '',
  serverFolders = USUAL_FOLDERS,
  erlangFolders = ERLANG_FOLDERS,
} = {}) {
  const inPath = path.split(delimiter).filter(Boolean);
  const program = [...inPath, ...serverFolders].map(serverIn).find(Boolean);
  const erlangFolder = [...inPath, ...erlangFolders].find((folder) => existsSync(join(folder, 'erl')));
  if (!program || !erlangFolder) return undefined;
  const version = /rabbitmq_server-([^/]+)/.exec(program)?.[1] ?? 'unknown';
  return { program, erlangFolder, version, key: `installed-${version}` };
}

/**
 * Debian's /usr/sbin/rabbitmq-server is a wrapper that runs the machine's own broker as another user. The server
 * itself is the script that has rabbitmq-env, which it reads, beside it.
 * @param {string} folder
 */
function serverIn(folder) {
  const candidate = join(folder, 'rabbitmq-server');
  if (!existsSync(candidate)) return undefined;
  const scripts = dirname(realpathSync(candidate));
  const program = join(scripts, basename(candidate));
  if (!existsSync(program) || !existsSync(join(scripts, 'rabbitmq-env'))) return undefined;
  return realpathSync(program);
}
