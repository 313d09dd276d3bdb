import { expect, it } from '@jest/globals';
import { payloadOf } from './payload.js';

it.each([300, 8_192])('a payload has %d bytes as JSON', (bytes) => {
  expect(JSON.stringify(payloadOf(bytes))).toHaveLength(bytes);
});
