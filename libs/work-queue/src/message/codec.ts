/** A payload as it travels. */
export interface EncodedPayload {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** A message as a codec sees it on arrival. */
export interface ReceivedMessage {
  /** A copy: what is made of it may be changed, and handed over to a thread. */
  readonly body: Buffer;
  readonly contentType: string | undefined;
  /** Such as `gzip`; undefined when the publisher named none. What is not understood is to be refused. */
  readonly contentEncoding: string | undefined;
  /** Undefined when the publisher gave none. */
  readonly messageId: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A codec whose payload type is its owner's business. */
export interface AnyCodec {
  encode(payload: never): EncodedPayload;
  decode(message: ReceivedMessage): unknown;
}

/**
 * Turns a payload into bytes and back; one per queue, the same on both sides. `decode` throws when the bytes make
 * no sense: the message is then dead-lettered at once, since no retry will change them.
 */
export interface Codec<T> extends AnyCodec {
  encode(payload: T): EncodedPayload;
  decode(message: ReceivedMessage): T;
}
