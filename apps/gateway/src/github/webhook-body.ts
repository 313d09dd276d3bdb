/** Nesting the database behind the queue can take without fear for its stack; real payloads have less than 20. */
const MAX_DEPTH = 100;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

export type WebhookBody = { readonly fields: object } | { readonly violation: string };

/** Looks into the body for the few fields that are used; the bytes themselves go on as they came. */
export function readWebhookBody(body: Buffer): WebhookBody {
  if (depthOf(body) > MAX_DEPTH) return { violation: `body: expected JSON nested at most ${MAX_DEPTH} deep` };
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const fields: unknown = JSON.parse(text);
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return { fields };
    return { violation: 'body: expected a JSON object' };
  } catch (error) {
    return {
      violation: `body: expected JSON in UTF-8: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

/** How deep brackets nest outside of strings. Needs no valid JSON, so it can be asked first. */
function depthOf(body: Buffer): number {
  let depth = 0;
  let deepest = 0;
  let isInString = false;
  for (let index = 0; index < body.length; index++) {
    const byte = body[index] ?? 0;
    if (isInString && byte === BACKSLASH) index++;
    else if (byte === QUOTE) isInString = !isInString;
    else if (!isInString && OPENING.has(byte)) deepest = Math.max(deepest, ++depth);
    else if (!isInString && CLOSING.has(byte)) depth--;
  }
  return deepest;
}
