import type { QueueSizeInput } from '../sizing.js';
import type { Draft } from './option.js';

/** The draft as input of the sizing, or undefined while anything is missing or was refused. */
export function completeSizing(draft: Draft): QueueSizeInput | undefined {
  return isComplete(draft) ? draft : undefined;
}

const NEEDED = [
  'maxLatencyMs',
  'serviceTimeMs',
  'serviceTimeCv',
  'workers',
  'concurrency',
  'prefetch',
  'gateways',
  'type',
] as const satisfies readonly (keyof QueueSizeInput)[];

function isComplete(draft: Draft): draft is Draft & QueueSizeInput {
  return NEEDED.every((property) => draft[property] !== undefined);
}
