import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { ConfigurationError } from '../errors/configuration.error.js';
import { ManagementError } from '../errors/management.error.js';
import { ManagementApi, type ManagementApiOptions } from './management-api.js';

interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly text?: string;
}

let server: Server;
let origin: string;
let answer: Answer | undefined;
let requests: { method: string; url: string; authorization: string; body: string }[];

beforeAll(async () => {
  server = createServer((request, response) => void respond(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  requests = [];
  answer = { body: [] };
});

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const { method = '', url = '' } = request;
  requests.push({ method, url, authorization: decoded(request.headers.authorization), body });
  if (!answer) return;
  response.writeHead(answer.status ?? 200).end(answer.text ?? JSON.stringify(answer.body));
}

function decoded(authorization = ''): string {
  return Buffer.from(authorization.replace('Basic ', ''), 'base64').toString();
}

function api(changes: Partial<ManagementApiOptions> = {}): ManagementApi {
  return new ManagementApi({ url: origin, username: 'guest', password: 'secret', vhost: '/', ...changes });
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ManagementError))
    throw new Error(`expected a ManagementError, got: ${String(error)}`);
  expect(error.message).not.toContain('secret');
  return error;
}

describe('a request', () => {
  it('escapes vhost and queue, keeps the path prefix, and carries the credentials in a header', async () => {
    const url = origin.replace('http://', 'http://op%40corp:s%3Acret@');
    answer = { status: 404, body: {} };
    await api({ url: `${url}/rabbit/`, vhost: 'a/b' }).getQueue('c d.e/f');
    expect(requests).toMatchObject([
      { method: 'GET', url: '/rabbit/api/queues/a%2Fb/c%20d.e%2Ff', authorization: 'op@corp:s:cret' },
    ]);
  });

  it('uses the credentials of the options when the URL has none', async () => {
    await api({ url: `${origin}/api/` }).listPolicies();
    expect(requests).toMatchObject([{ url: '/api/policies/%2F', authorization: 'guest:secret' }]);
  });

  it('puts a policy under its name', async () => {
    answer = { status: 201, text: '' };
    await api().putPolicy({
      name: 'spillway.q',
      pattern: '^q$',
      applyTo: 'queues',
      priority: 100,
      definition: { 'max-length': 5 },
    });
    expect(requests).toMatchObject([{ method: 'PUT', url: '/api/policies/%2F/spillway.q' }]);
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual({
      pattern: '^q$',
      'apply-to': 'queues',
      priority: 100,
      definition: { 'max-length': 5 },
    });
  });
});

describe('an answer', () => {
  it('about a queue gives its type, flags and arguments', async () => {
    answer = {
      body: { name: 'q', type: 'quorum', durable: true, arguments: { 'x-overflow': 'reject-publish' } },
    };
    expect(await api().getQueue('q')).toEqual({
      type: 'quorum',
      durable: true,
      autoDelete: false,
      exclusive: false,
      arguments: { 'x-overflow': 'reject-publish' },
    });
  });

  it('that refuses operator policies makes them unknown', async () => {
    answer = { status: 401, body: { error: 'not_authorised', reason: 'Not administrator user' } };
    expect(await api().listOperatorPolicies()).toBeUndefined();
  });
});

describe('the error', () => {
  it('for a URL of another kind names the form, without the password', () => {
    for (const url of ['amqp://guest:secret@host:5672', 'guest:secret@host', '//u:se:cret@host']) {
      expect(() => api({ url })).toThrow(ConfigurationError);
      expect(() => api({ url })).not.toThrow(/cret@/);
    }
  });

  it('when nothing listens names the URL and the code', async () => {
    const unused = createSocketServer();
    await new Promise<void>((resolve) => unused.listen(0, '127.0.0.1', resolve));
    const { port } = unused.address() as AddressInfo;
    await new Promise((resolve) => unused.close(resolve));
    const error = await failure(api({ url: `http://guest:secret@127.0.0.1:${port}` }).listPolicies());
    expect(error.message).toMatch(`http://127.0.0.1:${port} did not answer (ECONNREFUSED)`);
    expect(error.message).toMatch('rabbitmq-plugins enable rabbitmq_management');
  });

  it('when no answer comes in time says so', async () => {
    answer = undefined;
    expect((await failure(api({ timeoutMs: 30 }).listPolicies())).message).toMatch(
      'did not answer (timed out)',
    );
  });

  it('when the AMQP port answers names the usual port', async () => {
    const amqp = createSocketServer((socket) => socket.end(Buffer.from('AMQP\0\0\x09\x01', 'latin1')));
    await new Promise<void>((resolve) => amqp.listen(0, '127.0.0.1', resolve));
    const error = await failure(
      api({ url: `http://127.0.0.1:${(amqp.address() as AddressInfo).port}` }).listPolicies(),
    );
    amqp.close();
    expect(error.message).toMatch(/but not with HTTP.*AMQP port.*15672/);
  });

  it.each([
    ['a page', { status: 200, text: '<html>login</html>' }],
    ['an empty refusal', { status: 404, text: '' }],
  ])('when another server answers with %s says that it is not RabbitMQ', async (_, other) => {
    answer = other;
    expect((await failure(api().getQueue('q'))).message).toMatch(
      /not with the JSON of RabbitMQ.*Another server/,
    );
  });

  it('when JSON of another shape comes says what was expected', async () => {
    answer = { body: { hello: 'world' } };
    expect((await failure(api().listPolicies())).message).toMatch('not a list of policies');
    expect((await failure(api().getQueue('q'))).message).toMatch('not a queue');
  });

  it.each([
    [
      401,
      { error: 'not_authorized', reason: 'Login failed' },
      /does not know user "guest".*Check the credentials/,
    ],
    [
      401,
      { error: 'not_authorised', reason: 'User can only log in via localhost' },
      /may not list.*another user than guest/,
    ],
    [
      401,
      { error: 'not_authorised', reason: 'Not management user' },
      /tag management.*set_user_tags "guest" policymaker/,
    ],
    [
      401,
      { error: 'not_authorised', reason: 'User not authorised to access virtual host' },
      /set_permissions -p "\/" "guest"/,
    ],
    [403, {}, /may not list policies in vhost "\/"/],
    [404, { error: 'Object Not Found', reason: 'Not Found' }, /Vhost "\/" does not exist.*add_vhost/],
    [
      400,
      { error: 'bad_request', reason: 'Validation failed\n\n-5 is wrong\n' },
      /could not list policies: status 400, "Validation/,
    ],
  ])('for status %d says what to do', async (status, body, message) => {
    answer = { status, body };
    expect((await failure(api().listPolicies())).message).toMatch(message);
  });
});
