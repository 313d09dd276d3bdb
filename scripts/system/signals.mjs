const PARENT_POLL_MS = 500;
/** Read at once: an npm that is killed while we prepare is gone when somebody asks. */
const PARENT = process.ppid;

/**
 * npm passes SIGINT and SIGTERM on to us although the terminal has already sent them to the whole process group: one
 * Ctrl-C comes twice. From now on listeners of this process hear a signal that is repeated at once only once.
 * @param {number} [withinMs] two real Ctrl-C are further apart
 */
export function mergeRepeatedSignals(withinMs = 400) {
  const lastSeen = /** @type {Map<string | symbol, number>} */ (new Map());
  const emit = process.emit.bind(process);
  /** @type {(name: string | symbol, ...args: unknown[]) => boolean} */
  const merged = (name, ...args) => {
    if (name === 'SIGINT' || name === 'SIGTERM') {
      const before = lastSeen.get(name) ?? Number.NEGATIVE_INFINITY;
      lastSeen.set(name, performance.now());
      if (performance.now() - before < withinMs) return true;
    }
    return Reflect.apply(emit, undefined, [name, ...args]);
  };
  process.emit = /** @type {typeof process.emit} */ (merged);
}

/**
 * Settles when this process is asked to end: Ctrl-C, SIGTERM; its terminal was closed, or nobody reads what it
 * prints any more; or the npm that runs it is gone.
 * @returns {Promise<void>}
 */
export function interruption() {
  return new Promise((resolve) => {
    // n.b. for good: a signal that comes when nobody listens any more ends the process on the spot.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => resolve());
    onEndOfNpm(resolve);
  });
}

/**
 * A killed npm cannot pass anything on. Without npm it is nothing special that a parent ends before its child.
 * @param {() => void} listener
 */
export function onEndOfNpm(listener) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const timer = setInterval(() => {
    if (process.ppid === PARENT) return;
    clearInterval(timer);
    listener();
  }, PARENT_POLL_MS).unref();
}
