import { GithubEvent } from './github-event.js';

const DELIVERY_HEADER = 'x-github-delivery';
const EVENT_HEADER = 'x-github-event';
const ACTION_HEADER = 'x-github-action';

interface Received {
  readonly body: Uint8Array;
  readonly headers: Readonly<Record<string, unknown>>;
}

/**
 * The body travels as it came, its envelope in the headers: nothing is parsed and serialised again on the way.
 */
export const githubEventCodec = {
  encode(event: GithubEvent): { body: Uint8Array; contentType: string; headers: Record<string, string> } {
    const headers: Record<string, string> = {
      [DELIVERY_HEADER]: event.deliveryId,
      [EVENT_HEADER]: event.event,
    };
    if (event.action !== undefined) headers[ACTION_HEADER] = event.action;
    return { body: event.body, contentType: 'application/json', headers };
  },

  /** What is missing or of the wrong type stays out, for validation to name it. */
  decode({ body, headers }: Received): GithubEvent {
    return new GithubEvent({
      // Without its delivery id it could not be written once, so validation refuses it.
      deliveryId: textOf(headers[DELIVERY_HEADER]) ?? '',
      event: textOf(headers[EVENT_HEADER]) ?? '',
      action: textOf(headers[ACTION_HEADER]),
      body,
    });
  },
};

function textOf(header: unknown): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
