import type { IncomingHttpHeaders } from 'node:http';
import { BadRequestException } from '@nestjs/common';

const MAX_CHARACTERS = 255;
/** The structured form of RFC 8941, a string: printable ASCII, with `\"` and `\\` for quote and backslash. */
const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;
/** The form most clients send. No comma: that is how Node joins a header that came twice. */
const BARE = /^[ !#-+\--~]*$/;

/**
 * The client's `Idempotency-Key`, or undefined. The key is the client's own: hash it with the client and the route
 * (`messageIdOf`) before it names a message.
 *
 * @throws BadRequestException when it is empty, over 255 characters, not printable ASCII, or given more than once
 */
export function readIdempotencyKey(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['idempotency-key'];
  if (given === undefined) return undefined;
  const key = keyOf(Array.isArray(given) ? given.join(', ') : given);
  if (key === undefined || key === '' || key.length > MAX_CHARACTERS) {
    throw new BadRequestException(
      `Idempotency-Key: expected one key of 1 to ${MAX_CHARACTERS} printable ASCII characters, in double quotes if it has a comma or a quote`,
    );
  }
  return key;
}

function keyOf(value: string): string | undefined {
  const quoted = QUOTED.exec(value)?.[1];
  if (quoted !== undefined) return quoted.replaceAll(/\\(.)/g, '$1');
  return BARE.test(value) ? value : undefined;
}
