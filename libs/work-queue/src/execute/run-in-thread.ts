import type { MessagePort } from 'node:worker_threads';

export type ThreadTransfer = ReadonlyArray<ArrayBuffer | MessagePort>;

/** Runs the module of a handler's threads once, with this input. */
export type RunInThread = (
  input: unknown,
  options: { readonly signal: AbortSignal; readonly transfer?: ThreadTransfer | undefined },
) => Promise<unknown>;
