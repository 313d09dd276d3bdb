/** With these the broker routes a message to other queues as well: its confirm would no longer speak of ours. */
const ROUTING_HEADERS = ['CC', 'BCC'];

/** A string that UTF-8 cannot carry as it is. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Why a message with this id cannot be sent; undefined when it can. */
export function problemOfId(messageId: string): string | undefined {
  // It would arrive as another id, and so be taken for another message, or for that of somebody else.
  return LONE_SURROGATE.test(messageId) ? 'the message id has half a surrogate pair' : undefined;
}

/**
 * Why these headers cannot be sent; undefined when they can. The broker closes the channel, or even the connection, on
 * some that the client library encodes, and with it goes what others have under way.
 */
export function problemOfHeaders(headers: Readonly<Record<string, unknown>>): string | undefined {
  const routing = ROUTING_HEADERS.find((name) => name in headers);
  if (routing) return `header ${routing} sends it to other queues as well`;
  const wrong = Object.keys(headers).find((name) => !isSendable(headers[name]));
  return wrong === undefined
    ? undefined
    : `header ${JSON.stringify(wrong)}: expected text, finite numbers, booleans, bytes, or lists and objects of those`;
}

function isSendable(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return value === null || value instanceof Uint8Array || areSendable(value);
    case 'bigint':
    case 'symbol':
    case 'function':
      return false;
  }
}

/** n.b. an object with `!` is how the client library is told to encode something else than it seems. */
function areSendable(value: object): boolean {
  return !('!' in value) && Object.values(value).every(isSendable);
}
