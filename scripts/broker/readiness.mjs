import { connect } from 'node:net';

const PROBE_TIMEOUT_MS = 2000;

/** AMQP 0-9-1: the client speaks first, the server answers with a method frame, whose first byte is 1. */
const PROTOCOL_HEADER = Buffer.from('AMQP\0\0\x09\x01', 'latin1');

/**
 * Whether an AMQP server answers at an address. A connect alone would not tell a stopped process from a live one, as
 * the system accepts for both.
 * @param {string} url amqp://…
 * @returns {Promise<boolean>}
 */
export function answersAmqp(url) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port || 5672) });
    const finish = (/** @type {boolean} */ answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_TIMEOUT_MS, () => finish(false));
    socket.on('error', () => finish(false));
    socket.on('close', () => finish(false));
    socket.on('connect', () => socket.write(PROTOCOL_HEADER));
    socket.on('data', (data) => finish(data[0] === 1));
  });
}

/**
 * @param {string} managementUrl with user and password
 * @returns {Promise<{ node: string, version: string } | undefined>} undefined: no answer
 */
export async function askManagement(managementUrl) {
  const { origin, username, password } = new URL(managementUrl);
  try {
    const response = await fetch(`${origin}/api/overview`, {
      headers: {
        authorization: `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`,
        // n.b. RabbitMQ 3.10 waits for open connections when it stops.
        connection: 'close',
      },
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    const overview = /** @type {{ node: string, rabbitmq_version: string }} */ (await response.json());
    return { node: overview.node, version: overview.rabbitmq_version };
  } catch {
    return undefined;
  }
}
