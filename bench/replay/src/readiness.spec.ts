import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, test } from '@jest/globals';

import { checkReadiness } from './readiness.js';

async function readinessAt(status: number) {
  const server = createServer((_request, response) =>
    response.writeHead(status, { Connection: 'close' }).end('{}'),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gateway = { origin, host: '127.0.0.1', port: 0, webhookPath: '', readyUrl: `${origin}/health/ready` };
  const open = await checkReadiness(gateway);
  await server[Symbol.asyncDispose]();
  return { origin, open, closed: await checkReadiness(gateway) };
}

test('a gateway that answers 200 is ready', async () => {
  expect((await readinessAt(200)).open).toEqual({ kind: 'ready' });
});

test('another answer is a warning, not an end', async () => {
  expect((await readinessAt(503)).open).toEqual({
    kind: 'not-ready',
    warning: expect.stringContaining('answers 503: sending anyway'),
  });
});

test('where nothing answers, it says how to start it', async () => {
  const { origin, closed } = await readinessAt(200);
  expect(closed).toEqual({
    kind: 'silent',
    problem: `nothing answers on ${origin}: start it with npm start (in another terminal)`,
  });
});
