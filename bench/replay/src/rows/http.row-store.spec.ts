import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { HttpRowStore } from './http.row-store.js';

let server: Server;
let answer: { status: number; body: string };
let asked: string[];

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push(body);
      response.writeHead(answer.status).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function store(): HttpRowStore {
  // The server was just told to listen on TCP.
  const { port } = server.address() as AddressInfo;
  return new HttpRowStore(() => Promise.resolve(`http://127.0.0.1:${port}`));
}

test('asks for ids and takes the rows there are', async () => {
  answer = { status: 200, body: '[{"deliveryId":"a","recordedAtEpochMs":1.5}]' };
  await expect(store().findRows(['a', 'b'])).resolves.toEqual([{ deliveryId: 'a', recordedAtEpochMs: 1.5 }]);
  expect(asked).toEqual(['["a","b"]']);
});

test('says what the worker answers when it cannot tell', async () => {
  answer = { status: 503, body: 'the embedded database is closed\n' };
  await expect(store().findRows(['a'])).rejects.toThrow('answers 503: the embedded database is closed');
});

test.each(['{}', '[1]', '[{"deliveryId":1}]', 'no JSON'])('takes %s for no answer', async (body) => {
  answer = { status: 200, body };
  await expect(store().findRows(['a'])).rejects.toThrow(/something else than rows|JSON/);
});
