import { formatDuration } from '@spillway/qos';
import type { QueuePicture, ServicePicture } from './alert.js';
import { BETWEEN, type Judgement, measured, over, under, UNKNOWN } from './rule.js';
import { MARKS } from './thresholds.js';

/** Jobs that take much longer or shorter than the QoS file says, by which the queue is sized. */
export function judgeServiceTime({ queue, service, declaredServiceTimeMs }: QueuePicture): Judgement {
  if (service === undefined || declaredServiceTimeMs === undefined || !isEnough(service)) return UNKNOWN;
  const { serviceTimeOff, serviceTimeFits } = MARKS;
  const ratio = service.meanMs / declaredServiceTimeMs;
  const declared = formatDuration(declaredServiceTimeMs);
  const takes = `a job of queue ${queue} takes ${measured(service.meanMs)} on average (${service.count} in the last minute, serviceTime is ${declared})`;
  if (ratio > serviceTimeOff.above) return over(`${takes}: ${TOO_LONG}; ${advice(service)}`);
  if (ratio < serviceTimeOff.below) return over(`${takes}: ${TOO_SHORT}; ${advice(service)}`);
  return ratio >= serviceTimeFits.from && ratio <= serviceTimeFits.to ? under(takes) : BETWEEN;
}

/** The largest that a QoS file takes. */
const MAX_CV = 5;

const TOO_LONG = 'the queue is too long for its promise';
const TOO_SHORT = 'the queue is shorter than its promise allows and refuses too early';

/** The standard error of a mean is cv / sqrt(count) of it. */
function isEnough({ count, cv }: ServicePicture): boolean {
  return count >= Math.max(MARKS.minServiceTimes, (cv / MARKS.maxServiceTimeError) ** 2);
}

function advice({ meanMs, cv }: ServicePicture): string {
  return `if that is how it stays, set serviceTime: ${measured(meanMs)} and serviceTimeCv: ${Number(Math.min(MAX_CV, cv).toFixed(1))}`;
}
