const PROTOCOL_HEADER_BYTES = 8;
const FRAME_HEADER_BYTES = 7;
const FRAME_END_BYTES = 1;
const METHOD_FRAME = 1;
const BASIC_PUBLISH = (60 << 16) | 40;

/** Counts the `basic.publish` frames in what a client of AMQP 0-9-1 writes on one connection. */
export class PublishFrames {
  count = 0;
  private rest: Buffer = Buffer.alloc(0);
  private isPastProtocolHeader = false;

  read(chunk: Buffer): void {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (this.readNext());
  }

  /** @returns false when the rest is no whole frame */
  private readNext(): boolean {
    if (!this.isPastProtocolHeader) {
      this.isPastProtocolHeader = this.skip(PROTOCOL_HEADER_BYTES);
      return this.isPastProtocolHeader;
    }
    if (this.rest.length < FRAME_HEADER_BYTES) return false;
    const frame = this.rest;
    if (!this.skip(FRAME_HEADER_BYTES + frame.readUInt32BE(3) + FRAME_END_BYTES)) return false;
    if (frame[0] === METHOD_FRAME && frame.readUInt32BE(FRAME_HEADER_BYTES) === BASIC_PUBLISH) this.count++;
    return true;
  }

  private skip(bytes: number): boolean {
    if (this.rest.length < bytes) return false;
    this.rest = this.rest.subarray(bytes);
    return true;
  }
}
