import { resolveSettings, type WorkQueueOptions } from '../../libs/work-queue/src/config/settings.js';
import { Telemetry } from '../../libs/work-queue/src/telemetry/telemetry.js';
import { WorkQueueRuntime } from '../../libs/work-queue/src/work-queue.runtime.js';
import type { BrokerAddress } from './system.js';

/**
 * A process that only publishes, without NestJS: its queues are made, its doors open. Close it.
 * @param queues QoS by queue, in the words of the QoS file
 */
export async function openPublisher(
  { url, managementUrl }: BrokerAddress,
  queues: Readonly<Record<string, object>>,
  options: WorkQueueOptions = {},
): Promise<WorkQueueRuntime> {
  const wanted = { url, managementUrl, queues: Object.keys(queues), config: { queues }, ...options };
  const runtime = new WorkQueueRuntime(await resolveSettings(wanted, {}), new Telemetry());
  await runtime.start();
  return runtime;
}
