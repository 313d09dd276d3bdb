/** What became of everything that a cell was loaded with. */
export interface CellEnd {
  readonly loaded: number;
  /** How often the handler was called. */
  readonly handled: number;
  /** Still in the queue after the client has closed: what it did not ack came back. */
  readonly left: number;
}

/** Why a cell does not count, in words; undefined when every message was handled once and acked. */
export function problemOf({ loaded, handled, left }: CellEnd): string | undefined {
  const problems = [
    ...(handled === loaded ? [] : [`${handled} handled of ${loaded}`]),
    ...(left === 0 ? [] : [`${left} not acked`]),
  ];
  return problems.length === 0 ? undefined : problems.join(', ');
}
