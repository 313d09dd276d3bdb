/** How a target was met. */
export interface Verdict {
  readonly target: string;
  readonly figure: number | undefined;
  readonly state: 'met' | 'missed' | 'not measured';
}

interface Target {
  readonly name: string;
  readonly bound: number;
  readonly unit: 'x' | 'µs' | 'cells';
  /** Undefined: somebody it needs was left out. */
  readonly figure: number | undefined;
}

export const atLeast = (target: Target): Verdict => judge('≥', target, (figure) => figure >= target.bound);

export const atMost = (target: Target): Verdict => judge('≤', target, (figure) => figure <= target.bound);

function judge(
  sign: string,
  { name, bound, unit, figure }: Target,
  isMet: (figure: number) => boolean,
): Verdict {
  const target = `${name} ${sign} ${bound} ${unit}`;
  if (figure === undefined) return { target, figure, state: 'not measured' };
  return { target, figure, state: isMet(figure) ? 'met' : 'missed' };
}
