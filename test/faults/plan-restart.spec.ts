import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { ReconnectingConnection } from '../../libs/work-queue/src/broker/reconnecting-connection.js';
import { PlanLog } from '../../libs/work-queue/src/control/plan-log.js';
import { RecordingTelemetry } from '../support/fake-broker.js';
import { PRIVATE_BROKER_START_MS, PrivateBroker } from '../support/private-broker.js';
import { connectTo } from '../support/stream-broker.js';
import { until } from '../support/until.js';

/** A broker that is killed sooner after a queue was made may have it no more. */
const SETTLED_MS = 2_000;

let broker: PrivateBroker;
let connection: ReconnectingConnection;
let log: PlanLog;
const telemetry = new RecordingTelemetry();

beforeAll(async () => {
  broker = await PrivateBroker.start();
  connection = await connectTo(broker.url);
  log = new PlanLog(connection, telemetry, { appendTimeoutMs: PRIVATE_BROKER_START_MS });
  await log.start();
}, PRIVATE_BROKER_START_MS);

afterAll(async () => {
  await log.close();
  await connection.close();
  await broker.close();
});

function set(prefetch: number) {
  const overrides = { orders: { prefetch } };
  return log.append({ author: 'ada', reason: 'slow', change: `${prefetch}`, apply: () => overrides });
}

it(
  'a plan log has every change that succeeded after its broker was killed, and takes those that waited for it',
  async () => {
    const startedAt = performance.now();
    const made: string[] = [];
    while (performance.now() - startedAt < SETTLED_MS) made.push((await set(made.length)).entry.change);
    await broker.kill();
    await until(async () => (telemetry.named('plan.lost').length > 0 ? undefined : 'not lost'));
    const waiting = set(made.length);
    await broker.restart();
    made.push((await waiting).entry.change);
    const history = await log.history(100_000);
    expect(history.map(({ entry }) => entry.change).reverse()).toEqual(made);
    expect(telemetry.named('plan.replaced')).toEqual([]);
  },
  2 * PRIVATE_BROKER_START_MS,
);
