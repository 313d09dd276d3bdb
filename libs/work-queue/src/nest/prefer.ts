import type { IncomingHttpHeaders } from 'node:http';

/** What a client would like, as far as a queue can give it (RFC 7240). */
export interface Preference {
  /** How long the client is ready to wait for the result; undefined when it is not. */
  readonly waitMs: number | undefined;
  /** It is content with a 202 when the result is not there yet. */
  readonly respondAsync: boolean;
}

/**
 * Reads `Prefer`. What is malformed or unknown is ignored, as RFC 7240 wants it, so this never throws. Of a preference
 * that is given twice the first counts.
 *
 * @param maxWaitMs how long a client may wait at most; 0: nobody waits
 */
export function readPrefer(headers: IncomingHttpHeaders, maxWaitMs: number): Preference {
  const given = headers.prefer;
  if (given === undefined) return { waitMs: undefined, respondAsync: false };
  const preferences = parse(Array.isArray(given) ? given.join(',') : given);
  return {
    waitMs: waitOf(preferences.get('wait'), maxWaitMs),
    respondAsync: preferences.get('respond-async') === '',
  };
}

function waitOf(value: string | undefined, maxWaitMs: number): number | undefined {
  if (value === undefined || !/^\d+$/.test(value)) return undefined;
  const waitMs = Math.min(Number(value) * 1_000, maxWaitMs);
  return waitMs > 0 ? waitMs : undefined;
}

/** Name in lower case -> value; no value and an empty one are the same. Parameters are left out: no preference here has any. */
function parse(text: string): Map<string, string> {
  const preferences = new Map<string, string>();
  for (const preference of splitOutsideQuotes(text, ',')) {
    const [main = ''] = splitOutsideQuotes(preference, ';');
    const [name = '', ...value] = main.split('=');
    const key = name.trim().toLowerCase();
    if (!preferences.has(key)) preferences.set(key, unquote(value.join('=').trim()));
  }
  return preferences;
}

/** One pass and no regular expression: the text is a stranger's and may hold nothing but quotes and backslashes. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted && character === '\\') index++;
    else if (!isQuoted && character === separator) {
      parts.push(text.slice(start, index));
      start = index + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function unquote(value: string): string {
  const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
  return isQuoted ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}
