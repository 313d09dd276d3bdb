import type { Codec, EncodedPayload, ReceivedMessage } from './codec.js';

const JSON_TYPE = 'application/json';

/** The default: JSON, and bytes as they are for a payload that is bytes already. */
export const jsonCodec: Codec<unknown> = {
  encode(payload: unknown): EncodedPayload {
    if (payload instanceof Uint8Array) return { body: payload, contentType: 'application/octet-stream' };
    const text = JSON.stringify(payload);
    if (text === undefined) {
      throw new TypeError(`expected a payload that JSON can carry, got: ${typeof payload}`);
    }
    return { body: Buffer.from(text), contentType: JSON_TYPE };
  },

  decode(message: ReceivedMessage): unknown {
    const type = message.contentType?.split(';', 1)[0]?.trim().toLowerCase();
    if (type === undefined || type === JSON_TYPE || type.endsWith('+json'))
      return JSON.parse(message.body.toString());
    return message.body;
  },
};
