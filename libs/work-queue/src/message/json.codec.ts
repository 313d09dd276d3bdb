import type { Codec, EncodedPayload, ReceivedMessage } from './codec.js';
import { ownBytes } from './own-bytes.js';

const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'application/octet-stream';

/** The default: JSON, and bytes as they are for a payload that is bytes already. Anything else is refused on arrival. */
export const jsonCodec: Codec<unknown> = {
  encode(payload: unknown): EncodedPayload {
    if (payload instanceof Uint8Array) return { body: payload, contentType: BYTES_TYPE };
    const text = JSON.stringify(payload);
    if (text === undefined) {
      throw new TypeError(`expected a payload that JSON can carry, got: ${typeof payload}`);
    }
    return { body: Buffer.from(text), contentType: JSON_TYPE };
  },

  decode({ body, contentType, contentEncoding }: ReceivedMessage): unknown {
    // What our own publishers send needs no closer look.
    if (contentType === JSON_TYPE && contentEncoding === undefined) return JSON.parse(body.toString());
    if (!isPlain(contentEncoding)) {
      throw new TypeError(
        `content encoding ${contentEncoding}: expected none. Publish the body as it is, or give the queue a codec that decodes it`,
      );
    }
    const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
    if (type === undefined || type === '' || type === JSON_TYPE || type.endsWith('+json'))
      return JSON.parse(body.toString());
    if (type === BYTES_TYPE) return ownBytes(body);
    throw new TypeError(
      `content type ${contentType}: expected ${JSON_TYPE}, or ${BYTES_TYPE} for bytes as they are. Give the queue a codec for any other`,
    );
  },
};

/** Some clients name the character set where the encoding belongs. */
function isPlain(contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined || /^(identity|utf-?8)?$/iu.test(contentEncoding);
}
