import type { QueuePicture } from './alert.js';
import { type Judgement, over, under, UNKNOWN } from './rule.js';

/** What a full queue does on the broker is not what its QoS file says. */
export function judgeOverflow({ queue, overflow }: QueuePicture): Judgement {
  if (overflow === undefined) return UNKNOWN;
  const { wanted, inForce, decidedBy } = overflow;
  if (inForce === wanted) return under(`overflow of queue ${queue} is ${wanted}`);
  const harm =
    wanted === 'reject-publish'
      ? 'when it is full, confirmed work is dropped'
      : 'when it is full, new work is refused';
  return over(
    `overflow of queue ${queue} is ${inForce} (${decidedBy}), not ${wanted}: ${harm}; change or remove what decides it`,
  );
}
