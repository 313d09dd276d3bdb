import { randomUUID } from 'node:crypto';

import type { Clock } from '../clock.js';
import type { Settings } from '../options/settings.js';
import type { Payload } from '../payloads/example-payloads.js';
import type { SendPlan } from '../schedule/send-plan.js';
import type { Delivery } from './delivery.js';
import { GatewayClient } from './gateway-client.js';
import type { Ledger } from './ledger.js';
import { OpenLoopSender } from './open-loop.sender.js';
import type { SendPhase } from './sender.options.js';

interface ExampleTraffic {
  settings: Settings;
  plan: SendPlan;
  /** At least one; they take turns. */
  payloads: readonly Payload[];
  ledger: Ledger;
  clock: Clock;
  stop: AbortSignal;
}

/** Sends the examples in turn over real connections, and closes these afterwards. */
export async function sendExamples({
  settings,
  payloads,
  stop,
  ...rest
}: ExampleTraffic): Promise<SendPhase> {
  const { maxConnections, retry, graceMs } = settings;
  const client = new GatewayClient(settings);
  const sender = new OpenLoopSender({
    ...rest,
    maxConnections,
    retry,
    graceMs,
    createDelivery: (index, plannedAtMs) => createDelivery(payloads[index % payloads.length], plannedAtMs),
    post: (delivery) => client.post(delivery),
  });
  try {
    return await sender.run(stop);
  } finally {
    client.close();
  }
}

function createDelivery(payload: Payload | undefined, plannedAtMs: number): Delivery {
  if (payload === undefined) throw new Error('expected at least one example payload, given none');
  return { id: randomUUID(), payload, plannedAtMs, attempts: 0, standing: undefined };
}
