import { randomUUID } from 'node:crypto';

/** A vhost of its own for one test, on the broker the test runner started. */
export interface TestVhost {
  readonly name: string;
  /** AMQP URL of this vhost. */
  readonly url: string;
  /** The management API of the whole broker. */
  readonly managementUrl: string;
  /** Ends every connection in it, too. */
  delete(): Promise<void>;
}

/** @throws when the runner gave no broker; `npm test` starts one. */
export async function createVhost(): Promise<TestVhost> {
  const name = `test-${randomUUID()}`;
  const url = new URL(fromRunner('RABBITMQ_URL'));
  const user = decodeURIComponent(url.username) || 'guest';
  await manage('PUT', `vhosts/${name}`);
  await manage('PUT', `permissions/${name}/${encodeURIComponent(user)}`, {
    configure: '.*',
    write: '.*',
    read: '.*',
  });
  url.pathname = `/${name}`;
  return {
    name,
    url: url.href,
    managementUrl: fromRunner('RABBITMQ_MANAGEMENT_URL'),
    delete: async () => void (await manage('DELETE', `vhosts/${name}`)),
  };
}

/** One request to the broker's management API with the runner's rights, for what tests prepare and look at. */
export async function manage(
  method: 'GET' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const url = new URL(fromRunner('RABBITMQ_MANAGEMENT_URL'));
  const credentials = `${decodeURIComponent(url.username) || 'guest'}:${decodeURIComponent(url.password) || 'guest'}`;
  const response = await fetch(`${url.origin}${url.pathname.replace(/\/$/, '')}/api/${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/json',
    },
    signal: AbortSignal.timeout(10_000),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

function fromRunner(variable: 'RABBITMQ_URL' | 'RABBITMQ_MANAGEMENT_URL'): string {
  const value = process.env[variable];
  if (value) return value;
  throw new Error(`${variable} is not set; run the tests with "npm test", which starts a broker, or set it`);
}
