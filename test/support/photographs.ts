import { randomBytes } from 'node:crypto';
import sharp from 'sharp';

export interface PhotographOptions {
  readonly type?: 'jpeg' | 'png' | 'webp';
  readonly width?: number;
  readonly height?: number;
  /** As a camera says it in EXIF; 6: it was held upright and its pixels lie on the side. */
  readonly orientation?: number;
}

/** A file as a camera makes it: a picture that is not plain, with EXIF. */
export async function photograph(options: PhotographOptions = {}): Promise<Buffer> {
  const { type = 'jpeg', width = 2_000, height = 1_500, orientation = 1 } = options;
  return sharp(pixels(width, height), { raw: { width, height, channels: 3 } })
    .withExif({ IFD0: { Make: 'Spillway', Model: 'Test' } })
    .withMetadata({ orientation })
    .toFormat(type)
    .toBuffer();
}

/** Two gradients under noise, as of a sensor: nothing that compresses to a few bytes. */
function pixels(width: number, height: number): Buffer {
  const noise = randomBytes(width * height);
  const image = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const grain = (noise[pixel] ?? 0) & 31;
    image[pixel * 3] = ((pixel % width) / width) * 220 + grain;
    image[pixel * 3 + 1] = (pixel / width / height) * 220 + grain;
    image[pixel * 3 + 2] = 110 + grain;
  }
  return image;
}
