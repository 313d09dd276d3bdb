import type { QueuePicture } from './alert.js';
import { BETWEEN, type Judgement, over, percent, under, UNKNOWN } from './rule.js';
import { MARKS } from './thresholds.js';

const DEFAULT_ADVICE = 'see the log of the gateways';

/** What to do about each reason to shed. */
const ADVICE: ReadonlyMap<string, string> = new Map([
  ['queue-full', 'more comes than is worked off: add workers or concurrency, or have clients send less'],
  ['no-workers', 'nobody works on the queue: start its workers'],
  ['gateway-busy', 'confirms come too slowly: look at the broker, add gateways or raise window'],
  ['broker-unavailable', 'look at the broker and the way to it'],
  ['broker-alarm', 'the broker is short of memory or disk: free some'],
]);

/** Work is refused for want of room. */
export function judgeShedding({ queue, publishes }: QueuePicture): Judgement {
  if (publishes === undefined) return UNKNOWN;
  const { offered, shed } = publishes;
  const reasons = Object.entries(shed).toSorted(([, a], [, b]) => b - a);
  const count = reasons.reduce((sum, [, amount]) => sum + amount, 0);
  if (count === 0) return under(`queue ${queue} sheds nothing (${offered} offered in the last 10 s)`);
  const share = count / Math.max(count, offered);
  if (count < MARKS.shedCount && share <= MARKS.shedShare) return BETWEEN;
  const why = reasons.map(([reason, amount]) => `${reason} ${amount}`).join(', ');
  const [[main] = ['']] = reasons;
  return over(
    `queue ${queue} shed ${count} of ${offered} publishes in the last 10 s (${percent(share)}: ${why}): ${ADVICE.get(main) ?? DEFAULT_ADVICE}`,
  );
}
