/** Runs the action once and gives everybody that promise; after a failure the next one runs it again. */
export function remembered(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return async () => {
    try {
      await (running ??= action());
    } catch (error) {
      running = undefined;
      throw error;
    }
  };
}
