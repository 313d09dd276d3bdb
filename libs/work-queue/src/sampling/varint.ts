const BITS_PER_BYTE = 7;
const LOW_BITS = 0x7f;
const MORE = 0x80;
/** Carries 35 bits; what is written never needs more. */
const MAX_BYTES = 5;

/** Seven bits a byte, low ones first. @param value an integer from 0 to 2^31 - 1 */
export function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest > LOW_BITS) {
    bytes.push((rest & LOW_BITS) | MORE);
    rest >>>= BITS_PER_BYTE;
  }
  bytes.push(rest);
}

/** Reads what {@link writeVarint} wrote, one after another, from bytes that anybody may have made. */
export class VarintReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  /** Undefined when the bytes end within a number, or it is longer than any that is written. */
  read(): number | undefined {
    let value = 0;
    for (let index = 0; index < MAX_BYTES; index++) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) return undefined;
      value += (byte & LOW_BITS) * 2 ** (index * BITS_PER_BYTE);
      if (byte < MORE) return value;
    }
    return undefined;
  }
}
