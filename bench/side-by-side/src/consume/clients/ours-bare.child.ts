import 'reflect-metadata';
import { Telemetry, type WorkQueueOptions, WorkQueueRuntime } from '@spillway/work-queue';
import { serveConsumer } from '../serve-consumer.js';
import { ourOptions } from './our-options.js';

type Settings = ConstructorParameters<typeof WorkQueueRuntime>[0];
interface SettingsFile {
  readonly resolveSettings: (
    options: WorkQueueOptions,
    environment: Record<string, string>,
  ) => Promise<Settings>;
}

// Applications leave it to the module, so it is not exported; this is what stands beside the built index.
const SETTINGS_FILE = new URL('config/settings.js', import.meta.resolve('@spillway/work-queue'));
const { resolveSettings }: SettingsFile = await import(SETTINGS_FILE.href);

/** Consume, decode, execute, settle: the library with nobody but itself around the handler. */
serveConsumer(async (target, handled) => {
  const runtime = new WorkQueueRuntime(await resolveSettings(ourOptions(target), {}), new Telemetry());
  await runtime.start();
  const { queue, prefetch } = target;
  await runtime.consume({
    queue,
    label: 'ours-bare',
    payloadType: undefined,
    prefetch,
    concurrency: prefetch,
    invoke: async () => handled(),
  });
  return runtime;
});
