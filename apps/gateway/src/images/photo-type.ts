import type { PhotoType } from '@spillway/contracts';

interface Signature {
  readonly type: PhotoType;
  /** Whether a file begins as this kind does. */
  readonly matches: (start: Buffer) => boolean;
}

const JPEG = Buffer.from([0xff, 0xd8, 0xff]);
const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

const SIGNATURES: readonly Signature[] = [
  { type: 'image/jpeg', matches: (start) => hasAt(start, 0, JPEG) },
  { type: 'image/png', matches: (start) => hasAt(start, 0, PNG) },
  // Between the two is the length of the file.
  { type: 'image/webp', matches: (start) => hasAt(start, 0, 'RIFF') && hasAt(start, 8, 'WEBP') },
];

/** The kind of a photograph by its first bytes, whatever it was said to be. Whether the rest can be read is not known. */
export function photoTypeOf(bytes: Buffer): PhotoType | undefined {
  return SIGNATURES.find(({ matches }) => matches(bytes))?.type;
}

function hasAt(bytes: Buffer, offset: number, expected: Buffer | string): boolean {
  return bytes.subarray(offset, offset + expected.length).equals(Buffer.from(expected));
}
