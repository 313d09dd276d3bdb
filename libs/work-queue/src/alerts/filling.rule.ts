import type { QueuePicture } from './alert.js';
import { BETWEEN, type Judgement, over, percent, under, UNKNOWN } from './rule.js';
import { LOW_MARK } from './thresholds.js';

/** A queue past `alertAt` of its limit, before anybody is refused. */
export function judgeFilling(picture: QueuePicture): Judgement {
  const { queue, ready, maxLength, alertAt } = picture;
  if (ready === undefined || maxLength === undefined || alertAt === undefined) return UNKNOWN;
  const fill = ready / maxLength;
  const holds = `queue ${queue} is ${percent(fill)} full (${ready} of ${maxLength} ready, alert at ${percent(alertAt)})`;
  if (fill >= alertAt) return over(`${holds}: ${advice(picture)}`);
  return fill < LOW_MARK * alertAt ? under(holds) : BETWEEN;
}

function advice({ isPaused, overflow }: QueuePicture): string {
  if (isPaused) return 'it is paused; resume it, or pause it so that it refuses';
  const end = overflow?.inForce === 'drop-head' ? 'it drops its oldest work' : 'it refuses work';
  return `once full ${end}; add workers or concurrency, or find out why jobs take longer or come faster`;
}
