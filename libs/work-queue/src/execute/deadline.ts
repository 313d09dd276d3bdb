/** The work was no longer worth starting before its first attempt. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';

  constructor(deadlineMs: number) {
    super(`its deadline, ${new Date(deadlineMs).toISOString()}, passed before it was started`);
  }
}

/** Milliseconds since the epoch; work without a deadline is always worth starting. */
export function deadlineMsOf({ deadline }: { readonly deadline: Date | undefined }): number {
  return deadline?.getTime() ?? Number.POSITIVE_INFINITY;
}
