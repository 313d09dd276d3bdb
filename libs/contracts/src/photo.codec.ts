import { Photo } from './photo.js';

interface Received {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
}

/** The file is the message's body, and its type the message's content type: nothing is wrapped or encoded. */
export const photoCodec = {
  encode({ type, bytes }: Photo): { body: Uint8Array; contentType: string } {
    return { body: bytes, contentType: type };
  },

  /** A type that is missing or not known is left for validation to name. */
  decode({ body, contentType }: Received): Photo {
    return new Photo({ type: contentType ?? '', bytes: body });
  },
};
