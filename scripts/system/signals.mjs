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
