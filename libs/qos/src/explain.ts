import { derivation, rounded, speed, subtraction, windows } from './arithmetic.js';
import { MS_PER_SECOND } from './duration.js';
import type { QueueQos } from './schema/queue-qos.js';
import { completeSizing } from './schema/sizing-draft.js';
import { drainRatePerSec, handlerCount, sizeQueue, type QueueSizeInput } from './sizing.js';

/**
 * Why a queue's limit is what it is, in one line that an operator can redo on paper, starting with
 * `116 = 127 (...) - 0 prefetched beyond the handlers - 11 unconfirmed (1 gateway x window 11)`.
 */
export function explain(qos: QueueQos): string {
  const sizing = sizingOf(qos);
  if (sizing !== undefined)
    return [explainLength(qos), derivation(sizing, sizeQueue(sizing)), explainDrain(qos)].join('; ');
  const parts = [explainLength(qos), explainDrain(qos)];
  if (qos.type === 'quorum') parts.push(explainOvershoot(qos));
  return parts.join('; ');
}

/** The first part of it, which is the length itself: `116 = 127 (...) - 0 ... - 11 ...`. */
export function explainLength(qos: QueueQos): string {
  const sizing = sizingOf(qos);
  if (sizing === undefined) return `${qos.maxLength} = set outright by maxLength`;
  const size = sizeQueue(sizing);
  const spare = size.maxLength - qos.maxLength;
  const unused = spare === 0 ? '' : ` - ${spare} spare (a longer queue would get a wider window)`;
  return `${qos.maxLength} = ${subtraction(sizing, size)}${unused}`;
}

function sizingOf(qos: QueueQos): QueueSizeInput | undefined {
  return qos.isMaxLengthExplicit ? undefined : completeSizing(qos);
}

function explainDrain(qos: QueueQos): string {
  const ratePerSec = drainRatePerSec(qos);
  if (ratePerSec === undefined || qos.serviceTimeMs === undefined)
    return 'drain rate unknown without serviceTime';
  const fullMs = (qos.maxLength * MS_PER_SECOND) / ratePerSec;
  const handlers = speed(handlerCount(qos), qos.serviceTimeMs);
  return `drains ${rounded(ratePerSec)}/s (${handlers}), a full queue in ${rounded(fullMs)} ms`;
}

function explainOvershoot({ gateways, window }: QueueQos): string {
  return `up to ${gateways * window} unconfirmed more can land after it is full (${windows(gateways, window)})`;
}
