/** What is sent; each client encodes and decodes it as JSON its own way. */
export interface Payload {
  readonly id: number;
  readonly text: string;
}

/** @returns a payload of so many bytes as JSON */
export function payloadOf(bodyBytes: number): Payload {
  const empty = JSON.stringify({ id: 1, text: '' } satisfies Payload).length;
  return { id: 1, text: 'x'.repeat(bodyBytes - empty) };
}
