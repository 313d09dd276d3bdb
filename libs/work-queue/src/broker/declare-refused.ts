import { TopologyError } from '../errors/topology.error.js';

/** Turns the broker's refusal of a declare into an error for people; anything else is not about topology. */
export function toTopologyError(queue: string, error: unknown, advice: string): unknown {
  if (isInequivalent(error)) {
    const reason = error.message.match(/inequivalent arg [^"]*/)?.[0] ?? error.message;
    return new TopologyError(
      `Queue "${queue}" exists with other settings than asked for and was left as it is: ${reason}. ${advice}`,
      { queue, cause: error },
    );
  }
  if (hasCode(error, 403)) {
    return new TopologyError(
      `The broker does not let this user create queue "${queue}": ${error.message}. ` +
        'Grant it configure, write and read permission for the work queue and what belongs to it: ' +
        'with "q" come "q.dead", "q.due" and "q.wait.<time>".',
      { queue, cause: error },
    );
  }
  return error;
}

export function isInequivalent(error: unknown): error is Error {
  return hasCode(error, 406) || (error instanceof Error && error.message.includes('PRECONDITION_FAILED'));
}

function hasCode(error: unknown, code: number): error is Error {
  return error instanceof Error && 'code' in error && error.code === code;
}
