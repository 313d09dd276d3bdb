import { expect, test } from '@jest/globals';

import { parseGatewayUrl } from './gateway-url.parser.js';

test.each([
  'http://127.0.0.1:3000',
  'http://127.8.9.1',
  'http://localhost:3000',
  'http://[::1]:3000',
  'http://127.1',
])('%s is this machine', (given) => {
  expect(parseGatewayUrl({ field: '--url', given })).toMatchObject({ ok: true });
});

test.each([
  'http://example.com',
  'http://127.0.0.1.example.com',
  'http://127.example.com',
  'http://localhost@example.com',
  'http://10.0.0.1',
  'http://0.0.0.0:3000',
  'http://[::2]',
])('%s is refused because it may be another machine', (given) => {
  expect(parseGatewayUrl({ field: '--url', given })).toEqual({
    ok: false,
    problem: expect.stringContaining('expected a host of this machine'),
  });
});

test.each(['https://127.0.0.1', 'ftp://127.0.0.1', '127.0.0.1:3000', ''])(
  '"%s" is not an http URL',
  (given) => {
    expect(parseGatewayUrl({ field: '--url', given })).toMatchObject({ ok: false });
  },
);

test('the path is kept as a prefix and an IPv6 host loses its brackets', () => {
  expect(parseGatewayUrl({ field: '--url', given: 'http://[::1]:3000/api/' })).toEqual({
    ok: true,
    value: {
      origin: 'http://[::1]:3000',
      host: '::1',
      port: 3000,
      webhookPath: '/api/webhooks/github',
      readyUrl: 'http://[::1]:3000/api/health/ready',
    },
  });
});
