import { formatDuration } from '@spillway/qos';
import type { QueuePicture } from './alert.js';

/** What a rule makes of a picture. The message is for people: what is the case, with its value, and what to do next. */
export type Judgement =
  { readonly mark: 'unknown' | 'between' } | { readonly mark: 'over' | 'under'; readonly message: string };

/** Looks at one moment only; how long something has to last is decided elsewhere. */
export type Rule = (picture: QueuePicture) => Judgement;

export const UNKNOWN: Judgement = { mark: 'unknown' };
export const BETWEEN: Judgement = { mark: 'between' };

export function over(message: string): Judgement {
  return { mark: 'over', message };
}

export function under(message: string): Judgement {
  return { mark: 'under', message };
}

/** `70 %`; small ones with a digit more. */
export function percent(ratio: number): string {
  const decimals = ratio < 0.1 ? 1 : 0;
  return `${Number((100 * ratio).toFixed(decimals))} %`;
}

/** To three digits, more is not measured, and as it may stand in a QoS file. */
export function measured(durationMs: number): string {
  return formatDuration(Number(durationMs.toPrecision(3)));
}
