/** Class and message of whatever was thrown: a handler may throw anything, also what has no text. Never throws. */
export function describeThrown(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  } catch {
    return `a ${typeof thrown} that cannot be shown`;
  }
}
