/** Time as an argument. `nowMs` never jumps; `epochMsOf` translates one of its readings to the wall clock. */
export interface Clock {
  nowMs(): number;
  epochMsOf(nowMs: number): number;
}

export const systemClock: Clock = {
  nowMs: () => performance.now(),
  epochMsOf: (nowMs) => performance.timeOrigin + nowMs,
};

/** Resolves after the time or as soon as the signal is aborted, whichever comes first; never rejects. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, durationMs);
    signal.addEventListener('abort', finish);
  });
}
