import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {import('./node-record.mjs').NodeRecord} NodeRecord */

/** Marks every process of a node, its daemons too, with the folder that it belongs to. */
export const MARKER = 'SPILLWAY_BROKER_DIR';

/** @param {string} dir the node's folder */
export const pathsOf = (dir) => ({
  home: join(dir, 'home'),
  data: join(dir, 'data'),
  logs: join(dir, 'log'),
  output: join(dir, 'log', 'output.log'),
  pidFile: join(dir, 'pid'),
  lock: join(dir, 'lock'),
});

/**
 * Writes the configuration of a private node. Every file that RabbitMQ reads is named, else those of the machine's
 * own broker under /etc/rabbitmq would be read.
 * @param {string} dir
 * @param {NodeRecord} record
 */
export function writeConfiguration(dir, { ports }) {
  const { home, data, logs } = pathsOf(dir);
  for (const folder of [home, data, logs, join(dir, 'conf.d')]) mkdirSync(folder, { recursive: true });
  const files = {
    'rabbitmq-env.conf': '',
    'advanced.config': '[].\n',
    enabled_plugins: '[rabbitmq_management].\n',
    'rabbitmq.conf': [
      `listeners.tcp.local = 127.0.0.1:${ports.amqp}`,
      'management.tcp.ip = 127.0.0.1',
      `management.tcp.port = ${ports.management}`,
      '',
    ].join('\n'),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
}

/**
 * The whole environment of a private node: nothing of ours is inherited, as any RABBITMQ_* or ERL_* variable of
 * the caller would reach into it.
 * @param {string} dir
 * @param {NodeRecord} record
 * @param {{ erlangFolder: string }} server
 * @returns {Record<string, string>}
 */
export function environmentOf(dir, { name, ports }, server) {
  const { home, data, logs, pidFile } = pathsOf(dir);
  return {
    [MARKER]: dir,
    PATH: `${server.erlangFolder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    LANG: 'C.UTF-8',
    HOME: home, // holds the cookie
    ERL_CRASH_DUMP: join(logs, 'erl_crash.dump'),
    // The name server of Erlang nodes is one for the whole machine unless it gets a port of its own.
    ERL_EPMD_PORT: String(ports.epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: name,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.amqp),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    // Without the first the distribution port would be open to the network. The others: an idle node leaves the
    // processors to the tests instead of spinning.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none',
    RABBITMQ_MNESIA_BASE: data,
    RABBITMQ_LOG_BASE: logs,
    RABBITMQ_PID_FILE: pidFile,
    RABBITMQ_CONF_ENV_FILE: join(dir, 'rabbitmq-env.conf'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    RABBITMQ_CONFIG_FILES: join(dir, 'conf.d'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
  };
}
