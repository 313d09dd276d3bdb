import { acquireBroker } from './broker/acquire-broker.mjs';
import { findOwnBrokers, stopOwnBrokers } from './broker/own-brokers.mjs';
import { assertNodeVersion } from './setup/node-version.mjs';
import { say } from './terminal/say.mjs';
import { runMain, UserError } from './terminal/user-error.mjs';

const USAGE = 'Usage: node scripts/broker.mjs start|stop|status [--json]';
const STATUS_NOT_RUNNING = 3; // as of service scripts

/** @type {Record<string, (isJson: boolean) => Promise<number>>} */
const COMMANDS = {
  start: async (isJson) => {
    const { url, managementUrl } = await acquireBroker({ purpose: 'start' });
    console.log(isJson ? JSON.stringify({ url, managementUrl }) : urlLines({ url, managementUrl }));
    return 0;
  },
  stop: async (isJson) => {
    const stopped = await stopOwnBrokers();
    if (isJson) console.log(JSON.stringify({ stopped }));
    for (const name of stopped) say.done(`Stopped ${name}; its data are kept`);
    if (stopped.length === 0) say.step('No broker of this project is running');
    return 0;
  },
  status: async (isJson) => {
    const brokers = await findOwnBrokers();
    if (isJson) console.log(JSON.stringify({ brokers }));
    else if (brokers.length === 0) console.log('No broker of this project is running');
    else for (const broker of brokers) console.log(`${broker.name}\n${urlLines(broker)}`);
    return brokers.length === 0 ? STATUS_NOT_RUNNING : 0;
  },
};

/** @param {{ url: string, managementUrl?: string | undefined }} urls */
const urlLines = ({ url, managementUrl }) =>
  [`RABBITMQ_URL=${url}`, ...(managementUrl ? [`RABBITMQ_MANAGEMENT_URL=${managementUrl}`] : [])].join('\n');

await runMain(async () => {
  assertNodeVersion();
  const args = process.argv.slice(2);
  const [name, ...rest] = args.filter((argument) => argument !== '--json');
  const command = name === undefined ? undefined : COMMANDS[name];
  if (!command || rest.length > 0) throw new UserError(`${USAGE}, got: ${args.join(' ') || 'nothing'}`);
  return command(args.includes('--json'));
});
