/**
 * What the promise gives, or `otherwise` when that takes longer than the deadline. The promise itself goes on; a
 * rejection of it in time is passed on, a later one is nobody's business any more.
 */
export function withinDeadline<T>(promise: Promise<T>, deadlineMs: number, otherwise: T): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(otherwise), deadlineMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
