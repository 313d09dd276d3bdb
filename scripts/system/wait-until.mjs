import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again and again until the answer is truthy; gives the answer, or undefined when the time is over.
 * @template T
 * @param {() => T | Promise<T>} question
 * @param {{ timeoutMs: number, everyMs?: number }} limits everyMs: pause between two questions, default 50
 * @returns {Promise<T | undefined>}
 */
export async function waitUntil(question, { timeoutMs, everyMs = 50 }) {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (performance.now() >= deadline) return undefined;
    await delay(everyMs);
  }
}
