import { drainMs, type DrainSpeed } from './drain.js';
import { excess, type Fill } from './limit.js';

/** A nack costs the broker as much as an accept: one gateway never asks more than 50 times a second. */
const PROBE_MIN_MS = 20;

/** A raised limit or an added worker is not in the forecast, and should be noticed within a second. */
const PROBE_MAX_MS = 500;

const PROBE_UNKNOWN_MS = 50;

export interface ProbeDelayInput extends Fill, DrainSpeed {}

/**
 * When a gate that was shut by a refusal should let the next publish through to see whether the queue accepts
 * again, in milliseconds from 20 to 500; 50 with an unknown service time.
 *
 * A probe that comes too early is one more nack, and on a quorum queue is sure to be: once that has refused a
 * channel, it goes on refusing it above 80 % of the limit, whatever comes free. So the delay is the time to
 * drain from `ready` to where the queue reopens. A classic queue takes the next message as soon as one place is
 * free, and that place may have been taken by another gateway: the delay is the time of one place at least.
 */
export function probeDelayMs(input: ProbeDelayInput): number {
  const messages = Math.max(input.type === 'classic' ? 1 : 0, excess(input));
  const delayMs = drainMs({ ...input, messages }) ?? PROBE_UNKNOWN_MS;
  return Math.min(PROBE_MAX_MS, Math.max(PROBE_MIN_MS, Math.ceil(delayMs)));
}
