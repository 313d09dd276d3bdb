/**
 * A copy with memory of its own, for whoever may change it or hand it over to a thread: the original is a window into
 * what the socket read, and what the retry and the dead letter are made of.
 */
export function ownBytes(bytes: Uint8Array): Buffer {
  // n.b. Buffer.from(bytes) would take its memory from a pool that others share.
  return Buffer.from(new Uint8Array(bytes).buffer);
}
