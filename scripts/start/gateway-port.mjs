import { isPortFree } from '../broker/free-ports.mjs';
import { UserError } from '../terminal/user-error.mjs';

const DEFAULT_PORT = 3000;

/**
 * The gateway's port, known to be free: a start that only fails at its end would have started a broker for nothing.
 * @param {string | undefined} text PORT
 */
export async function freeGatewayPort(text) {
  const port = Number(text || DEFAULT_PORT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new UserError(`expected PORT to be a whole number from 1 to 65535, got: ${text}`);
  }
  if (await isPortFree(port)) return port;
  throw new UserError(
    `Port ${port} of this machine is taken, perhaps by another npm start. End that, or choose another: PORT=${port + 1} npm start`,
  );
}
