import sharp, { type OutputInfo } from 'sharp';
import type { MadeSize, MadeSizes, SizesToMake } from './made-sizes.js';

/** A photograph of 64 million pixels needs up to 256 MB while it is decoded; a larger one may be a bomb. */
const MAX_PIXELS = 64_000_000;

/** Of one decoding, well within the timeout of the handler: native code is not interrupted from outside. */
const MAX_SECONDS = 20;

// One processor for each thread of ours. Nothing is asked for twice, so nothing is worth keeping.
sharp.concurrency(1);
sharp.cache(false);

/** The sizes of one photograph, upright and without its metadata. Runs in a thread of the pool. */
// ts-unused-exports:disable-next-line
export default async function makeSizes({ bytes, widths }: SizesToMake): Promise<MadeSizes> {
  const decoded = await decode(bytes, Math.max(...widths));
  if ('problem' in decoded) return decoded;
  const sizes: MadeSize[] = [];
  // One after the other: more at once would take processors from other photographs.
  for (const askedWidth of widths) sizes.push(await encode(decoded, askedWidth));
  return { sizes };
}

interface Pixels {
  readonly data: Buffer;
  readonly info: OutputInfo;
}

/** Only once, and no larger than the widest size: decoding is most of the work. */
async function decode(bytes: Uint8Array, width: number): Promise<Pixels | { problem: string }> {
  try {
    return await sharp(bytes, { failOn: 'error', limitInputPixels: MAX_PIXELS })
      .timeout({ seconds: MAX_SECONDS })
      .autoOrient()
      .resize({ width, withoutEnlargement: true })
      .raw()
      .toBuffer({ resolveWithObject: true });
  } catch (error) {
    const reason = String(error instanceof Error ? error.message : error);
    // A slow machine is no fault of the photograph.
    if (reason.startsWith('timeout')) throw error;
    return { problem: reason.replaceAll(/\s*\n\s*/g, '; ') };
  }
}

async function encode({ data, info }: Pixels, askedWidth: number): Promise<MadeSize> {
  const { width, height, channels } = info;
  const size = await sharp(data, { raw: { width, height, channels } })
    .resize({ width: askedWidth, withoutEnlargement: true })
    .webp()
    .toBuffer({ resolveWithObject: true });
  return { askedWidth, width: size.info.width, height: size.info.height, bytes: size.data };
}
