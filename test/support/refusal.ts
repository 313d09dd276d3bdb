import { expect } from '@jest/globals';
import { TopologyError } from '../../libs/work-queue/src/errors/topology.error.js';

/** What a refusal of the topology says; anything else fails the test. */
export async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => 'nothing was thrown',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TopologyError);
  return String(error);
}
