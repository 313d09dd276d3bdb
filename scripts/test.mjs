import { acquireBroker } from './broker/acquire-broker.mjs';
import { ensureInstalled } from './setup/ensure-installed.mjs';
import { assertNodeVersion } from './setup/node-version.mjs';
import { prepare } from './setup/prepare.mjs';
import { say } from './terminal/say.mjs';
import { runMain, UserError } from './terminal/user-error.mjs';
import { runJest } from './test/run-jest.mjs';

/** @typedef {import('./broker/acquire-broker.mjs').Broker} Broker */

await runMain(async () => {
  const args = process.argv.slice(2);
  const isUnit = args.includes('--unit');
  const jestArgs = args.filter((argument) => argument !== '--unit');
  const { code, counts } = await (isUnit ? testUnits(jestArgs) : testAll(jestArgs));
  if (counts) console.log(counts);
  return code;
});

/**
 * Sources are read as they are: nothing is built, and no broker is needed.
 * @param {string[]} args
 */
async function testUnits(args) {
  assertNodeVersion();
  await ensureInstalled();
  return runJest({ isUnit: true, args, env: process.env });
}

/** @param {string[]} args */
async function testAll(args) {
  await prepare();
  const broker = await acquireBroker({ purpose: 'test' });
  try {
    return await runJest({ isUnit: false, args, env: environmentFor(broker) });
  } finally {
    await leave(broker);
  }
}

/**
 * @param {Broker} broker
 * @returns {NodeJS.ProcessEnv}
 */
function environmentFor({ kind, url, managementUrl }) {
  if (!managementUrl) {
    throw new UserError(
      'RABBITMQ_URL is set and RABBITMQ_MANAGEMENT_URL is not: each test creates a vhost of its own through the management API. Set it too, for example to http://guest:guest@127.0.0.1:15672.',
    );
  }
  return {
    ...process.env,
    RABBITMQ_URL: url,
    RABBITMQ_MANAGEMENT_URL: managementUrl,
    SPILLWAY_TEST_BROKER: kind,
  };
}

/**
 * A private node is left for the next command, which then starts at once; a machine of CI has no next command.
 * @param {Broker} broker
 */
async function leave(broker) {
  if (broker.kind === 'private' && !process.env.CI) {
    say.step('RabbitMQ keeps running for the next command; npm run broker:stop stops it');
  } else if (broker.isStartedHere) {
    await broker.stop();
  }
}
