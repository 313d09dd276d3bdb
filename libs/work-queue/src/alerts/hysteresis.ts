import { FLAPS_WITHIN_MS, MAX_CLEAR_AFTER_MS, MAX_LOOK_GAP_MS, type Patience } from './thresholds.js';

/** Where a signal stands: past its mark, clearly away from it, or neither. */
export type Mark = 'over' | 'between' | 'under' | 'unknown';

export interface HysteresisState {
  readonly isRaised: boolean;
  /** The other side has been seen since then, without a break: over while calm, under while raised. */
  readonly held: { readonly sinceMs: number; readonly seenAtMs: number } | undefined;
  readonly clearedAtMs: number | undefined;
  /** How often in a row it came back soon after it was cleared. */
  readonly returns: number;
}

export const CALM: HysteresisState = {
  isRaised: false,
  held: undefined,
  clearedAtMs: undefined,
  returns: 0,
};

/**
 * calm -> raised once the signal was over for `raiseAfterMs`; raised -> calm once it was under for `clearAfterMs`, twice as
 * long after each quick return. Anything else in between begins the wait anew; an unknown look does neither. Two raises
 * are therefore at least `raiseAfterMs + clearAfterMs` apart, and a signal that flaps ends up raised for good.
 */
export function step(
  state: HysteresisState,
  look: { readonly mark: Mark; readonly atMs: number },
  patience: Patience,
): HysteresisState {
  const { mark, atMs } = look;
  if (mark === 'unknown') return state;
  if (mark !== (state.isRaised ? 'under' : 'over')) return { ...state, held: undefined };
  const sinceMs = isUnbroken(state.held, atMs) ? state.held.sinceMs : atMs;
  if (atMs - sinceMs < neededMs(state, patience)) return { ...state, held: { sinceMs, seenAtMs: atMs } };
  return state.isRaised ? cleared(state, atMs) : raised(state, atMs);
}

type Held = NonNullable<HysteresisState['held']>;

function isUnbroken(held: Held | undefined, atMs: number): held is Held {
  return held !== undefined && atMs >= held.seenAtMs && atMs - held.seenAtMs <= MAX_LOOK_GAP_MS;
}

function neededMs({ isRaised, returns }: HysteresisState, { raiseAfterMs, clearAfterMs }: Patience): number {
  return isRaised ? Math.min(MAX_CLEAR_AFTER_MS, clearAfterMs * 2 ** returns) : raiseAfterMs;
}

function raised({ clearedAtMs, returns }: HysteresisState, atMs: number): HysteresisState {
  const isReturn = clearedAtMs !== undefined && atMs - clearedAtMs < FLAPS_WITHIN_MS;
  return { isRaised: true, held: undefined, clearedAtMs: undefined, returns: isReturn ? returns + 1 : 0 };
}

function cleared({ returns }: HysteresisState, atMs: number): HysteresisState {
  return { isRaised: false, held: undefined, clearedAtMs: atMs, returns };
}
