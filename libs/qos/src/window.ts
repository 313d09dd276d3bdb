/** A window of 20 to 100 is the knee of the throughput curve; beyond it only latency and overshoot grow. */
const MAX_DEFAULT_WINDOW = 100;
const DEFAULT_WINDOW_RATIO = 0.1;

interface WindowInput {
  readonly maxLength: number;
  /** Handlers that run at the same time, over all workers. */
  readonly handlers: number;
  readonly gateways: number;
}

/** Unconfirmed publishes per gateway: as many as there are handlers or a tenth of the queue, at most 100. */
export function defaultWindow({ maxLength, handlers, gateways }: WindowInput): number {
  const share = Math.floor(Math.max(handlers, DEFAULT_WINDOW_RATIO * maxLength) / gateways);
  return Math.max(1, Math.min(MAX_DEFAULT_WINDOW, share));
}

interface PlacesInput {
  /** Places that max-length and the windows that overshoot it must share. */
  readonly places: number;
  readonly handlers: number;
  readonly gateways: number;
  /** Gateways whose window counts against the places: all on a quorum queue, none on a classic one. */
  readonly overshootingGateways: number;
}

interface PlacesSplit {
  /** Below 1 if not a single message fits beside the windows. */
  readonly maxLength: number;
  readonly window: number;
}

/**
 * Max-length and default window depend on each other: takes the largest max-length that still fits together
 * with the windows it gets. Both grow together, so a binary search finds it.
 */
export function splitPlaces(input: PlacesInput): PlacesSplit {
  const { places, overshootingGateways } = input;
  const windowOf = (maxLength: number) => defaultWindow({ ...input, maxLength });
  const fits = (maxLength: number) => maxLength + overshootingGateways * windowOf(maxLength) <= places;
  if (!fits(1)) return splitWithWindow(input, windowOf(1));
  let maxLength = 1;
  let tooLong = places + 1;
  while (tooLong - maxLength > 1) {
    const middle = Math.floor((maxLength + tooLong) / 2);
    if (fits(middle)) maxLength = middle;
    else tooLong = middle;
  }
  return { maxLength, window: windowOf(maxLength) };
}

/** The split for a window somebody chose. */
export function splitWithWindow({ places, overshootingGateways }: PlacesInput, window: number): PlacesSplit {
  return { maxLength: places - overshootingGateways * window, window };
}
