import type { IncomingHttpHeaders } from 'node:http';
import type { Priority } from '@spillway/work-queue';

/** From this urgency on (0 is the most urgent, 3 the default) work may be shed first. */
const LOW_FROM_URGENCY = 5;
/** `u=5`, alone or among the other members of the dictionary; of several the last counts. */
const URGENCY = /(?:^|,)[ \t]*u=([0-7])[ \t]*(?=$|[,;])/g;

/** What the client says of its urgency in `Priority` (RFC 9218), as the queue knows it. */
export function readPriority({ priority }: IncomingHttpHeaders): Priority {
  if (priority === undefined) return 'normal';
  const urgency = [...String(priority).matchAll(URGENCY)].at(-1)?.[1];
  return Number(urgency ?? 0) >= LOW_FROM_URGENCY ? 'low' : 'normal';
}
