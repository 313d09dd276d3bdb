import type { Preference, PublishReceipt, RequestOutcome } from '@spillway/work-queue';

/** How a piece of work that was stored is answered. */
export interface WorkAnswer {
  readonly status: 200 | 202;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export interface Stored {
  /** Where its state could be asked for. */
  readonly location: string;
  readonly preference: Preference;
}

/** Nobody waited: 202, whose body promises no more than the receipt. */
export function storedAnswer(receipt: PublishReceipt, { location, preference }: Stored): WorkAnswer {
  const applied = preference.respondAsync ? ['respond-async'] : [];
  return answer(202, bodyOf(receipt), { ...appliedHeader(applied), location });
}

/**
 * | the work was             | answer | `Preference-Applied`         |
 * |--------------------------|--------|------------------------------|
 * | done in time             | 200    | wait                         |
 * | not done in time         | 202    | wait, respond-async if asked |
 * | not waited for: too many wait, or the gateway is shutting down | 202 | respond-async if asked |
 */
export function requestAnswer(outcome: RequestOutcome, stored: Stored): WorkAnswer {
  const { waitMs = 0, respondAsync } = stored.preference;
  const wait = `wait=${waitMs / 1_000}`;
  if (outcome.isDone) return resultAnswer(outcome, appliedHeader([wait]));
  if (outcome.because === 'too-many-waiting' || outcome.because === 'closing')
    return storedAnswer(outcome.receipt, stored);
  const applied = respondAsync ? [wait, 'respond-async'] : [wait];
  const headers = { ...appliedHeader(applied), location: stored.location };
  return answer(202, bodyOf(outcome.receipt), headers);
}

type Done = Extract<RequestOutcome, { isDone: true }>;

/** What the handler returned, in the form in which it came; the receipt when it returned nothing. */
function resultAnswer({ receipt, result }: Done, headers: WorkAnswer['headers']): WorkAnswer {
  if (!(result instanceof Uint8Array)) return answer(200, result ?? bodyOf(receipt), headers);
  const body = Buffer.from(result.buffer, result.byteOffset, result.byteLength);
  return { status: 200, headers: { ...headers, 'content-type': 'application/octet-stream' }, body };
}

function answer(status: WorkAnswer['status'], body: unknown, headers: WorkAnswer['headers']): WorkAnswer {
  const contentType = 'application/json; charset=utf-8';
  return { status, headers: { ...headers, 'content-type': contentType }, body: JSON.stringify(body) };
}

function appliedHeader(preferences: readonly string[]): Record<string, string> {
  return preferences.length === 0 ? {} : { 'preference-applied': preferences.join(', ') };
}

function bodyOf({ id, queue, mayBeDropped }: PublishReceipt): object {
  return mayBeDropped ? { id, queue, mayBeDropped } : { id, queue };
}
