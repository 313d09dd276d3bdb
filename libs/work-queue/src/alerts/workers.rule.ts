import type { QueuePicture } from './alert.js';
import { type Judgement, over, under, UNKNOWN } from './rule.js';

/** Nobody consumes the queue, and nobody wanted that. */
export function judgeWorkers({ queue, consumers, isPaused, ready }: QueuePicture): Judgement {
  if (isPaused) return under(`queue ${queue} is paused`);
  if (consumers === undefined) return UNKNOWN;
  if (consumers > 0)
    return under(`queue ${queue} has ${consumers} ${consumers === 1 ? 'consumer' : 'consumers'}`);
  if (isPaused === undefined) return UNKNOWN;
  const waiting = ready === undefined ? '' : ` and ${ready} ready messages`;
  return over(
    `queue ${queue} has no consumer${waiting}: start its workers, or see in their logs why they do not consume`,
  );
}
