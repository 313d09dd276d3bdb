import { dirname, join } from 'node:path';
import { runCommand } from '../system/run-command.mjs';
import { UserError } from '../terminal/user-error.mjs';
import { environmentOf } from './node-configuration.mjs';
import { readRecord } from './node-record.mjs';

/** Half a second on an idle machine: it starts an Erlang machine of its own. */
const TIMEOUT_MS = 60_000;

/**
 * Runs rabbitmqctl on the node of a folder, with that node's environment: its name server and its cookie, so that no
 * other node of the machine can be meant.
 * @param {string} dir the node's folder
 * @param {{ program: string, erlangFolder: string }} server
 * @param {readonly string[]} args
 * @returns {Promise<string>} what it printed
 * @throws {UserError} with what it printed, if it failed
 */
export async function rabbitmqctl(dir, server, args) {
  const record = readRecord(dir);
  if (!record) throw new UserError(`There has never been a RabbitMQ in ${dir}.`);
  const program = join(dirname(server.program), 'rabbitmqctl');
  const env = {
    ...environmentOf(dir, record, server),
    // It listens for the node's answers, by itself on every interface.
    RABBITMQ_CTL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
  };
  const { code, stdout, output } = await runCommand(program, args, { cwd: dir, env, timeoutMs: TIMEOUT_MS });
  if (code === 0) return stdout;
  throw new UserError(`rabbitmqctl ${args.join(' ')} ended with exit code ${code}:\n${output}`);
}
