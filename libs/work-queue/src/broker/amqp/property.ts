/** Properties of messages that other languages published may be anything. */
export function textOf(property: unknown): string | undefined {
  return typeof property === 'string' ? property : undefined;
}
