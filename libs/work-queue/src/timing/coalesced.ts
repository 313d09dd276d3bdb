/**
 * The action, never twice at a time. Whoever asks while it runs gets one more run afterwards, shared with all who
 * asked meanwhile: what they know may have come too late for the run that was under way. The promise ends with the
 * last run. The action must not reject.
 */
export function coalesced(action: () => Promise<void>): () => Promise<void> {
  let isAsked = false;
  let running: Promise<void> | undefined;
  const runWhileAsked = async (): Promise<void> => {
    while (isAsked) {
      isAsked = false;
      await action();
    }
    running = undefined;
  };
  return () => {
    isAsked = true;
    return (running ??= runWhileAsked());
  };
}
