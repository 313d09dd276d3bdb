import { createHmac } from 'node:crypto';

import { expect, test } from '@jest/globals';

import { loadExamplePayloads, toPayload } from './example-payloads.js';

test('all examples of api.github.com are loaded, each as the JSON of its event', () => {
  const payloads = loadExamplePayloads(undefined);
  expect(payloads).toHaveLength(329);
  expect(new Set(payloads.map(({ event }) => event)).size).toBe(58);
  for (const { bytes, headers, event } of payloads) {
    expect(JSON.parse(bytes.toString())).toBeInstanceOf(Object);
    expect(headers).toMatchObject({ 'X-GitHub-Event': event, 'Content-Length': String(bytes.length) });
  }
});

test('with a secret the exact bytes are signed', () => {
  const { bytes, headers } = toPayload('ping', { zen: 'Größe' }, 'swordfish');
  const expected = createHmac('sha256', 'swordfish').update('{"zen":"Größe"}', 'utf8').digest('hex');
  expect(bytes.toString()).toBe('{"zen":"Größe"}');
  expect(headers['X-Hub-Signature-256']).toBe(`sha256=${expected}`);
});

test('without a secret there is no signature', () => {
  expect(toPayload('ping', {}, undefined).headers).not.toHaveProperty('X-Hub-Signature-256');
});
