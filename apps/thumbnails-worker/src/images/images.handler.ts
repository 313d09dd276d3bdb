import { Injectable, UnprocessableEntityException } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { IMAGES, Photo, type Thumbnail, type Thumbnails } from '@spillway/contracts';
import { WorkContext, WorkHandler } from '@spillway/work-queue';
import type { MadeSize, MadeSizes } from './made-sizes.js';
import { ThumbnailStore } from './thumbnail.store.js';

/** Pixels. */
const WIDTHS = [64, 256, 1_024];

/** Makes the sizes of each photograph in a thread, and keeps them once, however often it is delivered. */
@Injectable()
export class ImagesHandler {
  constructor(private readonly store: ThumbnailStore) {}

  /** What it resolves with is the answer to a caller that waits. */
  @WorkHandler(IMAGES, { threads: new URL('./make-sizes.thread.js', import.meta.url) })
  async resize(@Payload() photo: Photo, @Ctx() work: WorkContext): Promise<Thumbnails> {
    const made = await work.inThread<MadeSizes>({ bytes: photo.bytes, widths: WIDTHS });
    if ('problem' in made) {
      throw new UnprocessableEntityException(`not a photograph that can be read: ${made.problem}`);
    }
    const files = made.sizes.map(({ askedWidth, bytes }) => ({ name: `${askedWidth}.webp`, bytes }));
    await this.store.keep(work.messageId, files);
    return { id: work.messageId, sizes: made.sizes.map(thumbnailOf) };
  }
}

function thumbnailOf({ width, height, bytes }: MadeSize): Thumbnail {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return { width, height, bytes: bytes.byteLength, type: 'image/webp', data };
}
