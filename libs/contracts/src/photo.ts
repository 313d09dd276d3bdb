import { IsIn, IsInstance } from 'class-validator';

/** The queue of photographs, from the gateway to the thumbnails worker. */
export const IMAGES = 'images';

/** Kinds of photographs that are taken. */
export const PHOTO_TYPES = ['image/jpeg', 'image/png', 'image/webp'] as const;

export type PhotoType = (typeof PHOTO_TYPES)[number];

/** One photograph as it lies in the queue. */
export class Photo {
  @IsIn(PHOTO_TYPES, { message: `type: expected one of ${PHOTO_TYPES.join(', ')}` })
  type: string;

  /** The file, byte for byte as it was sent. Nobody has looked further than its first bytes. */
  @IsInstance(Uint8Array, { message: 'bytes: expected bytes' })
  bytes: Uint8Array;

  constructor(fields?: Pick<Photo, 'type' | 'bytes'>) {
    Object.assign(this, fields);
  }
}

/** What is made of a photograph: the answer to a caller that waits. */
export interface Thumbnails {
  /** The message id; the sizes are kept under it. */
  readonly id: string;
  /** Narrowest first. */
  readonly sizes: readonly Thumbnail[];
}

export interface Thumbnail {
  /** Pixels. */
  readonly width: number;
  /** Pixels. */
  readonly height: number;
  /** Length of the file. */
  readonly bytes: number;
  readonly type: 'image/webp';
  /** The file, in base64. */
  readonly data: string;
}
