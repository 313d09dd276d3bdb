import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 50;

/**
 * Waits for something outside this process that cannot signal, such as a row or a queue's depth.
 * @param check resolves with undefined when it holds, else with what is still wrong
 */
export async function until(check: () => Promise<string | undefined>, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const problem = await check();
    if (problem === undefined) return;
    if (Date.now() > deadline) throw new Error(`after ${timeoutMs} ms: ${problem}`);
    await delay(POLL_MS);
  }
}
