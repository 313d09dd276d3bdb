import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { chooseFreePorts } from '../broker/free-ports.mjs';
import { freeGatewayPort } from './gateway-port.mjs';

describe('the port of the gateway', () => {
  it('is PORT if nobody listens on it', async () => {
    const [port] = await chooseFreePorts(1);
    await expect(freeGatewayPort(String(port))).resolves.toBe(port);
  });

  it.each(['0', '65536', 'http', '3000.5'])('is refused if it is %s', async (text) => {
    await expect(freeGatewayPort(text)).rejects.toThrow(`from 1 to 65535, got: ${text}`);
  });

  it('is refused if it is taken, with a way out', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    await expect(freeGatewayPort(String(port))).rejects.toThrow(
      new RegExp(`Port ${port} .* is taken.*PORT=${port + 1} npm start`),
    );
    server.close();
    await once(server, 'close');
  });
});
