import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range that systems give to outgoing connections: a port remembered from there could be taken by
 * anybody's connection while the node is down.
 */
const PORT_RANGE = /** @type {const} */ ([20_000, 32_000]);

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export function isPortFree(port) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Different ports that nobody listens on now.
 * @param {number} count
 */
export async function chooseFreePorts(count) {
  const chosen = /** @type {Set<number>} */ (new Set());
  while (chosen.size < count) {
    const port = randomInt(...PORT_RANGE);
    if (await isPortFree(port)) chosen.add(port);
  }
  return [...chosen];
}
