import { createHmac } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { readyMessages } from '../support/queue.js';
import { System } from '../support/system.js';

const SECRET = 'it is a secret to everybody';
const MAX_BODY_BYTES = 2_000;
const GOOD_BODY = '{"action":"opened","number":1}';

describe('the gateway and bad input', () => {
  let system: System;
  let url: string;

  beforeAll(async () => {
    system = await System.create({ maxLength: 100, serviceTime: '5ms', type: 'classic' });
    const gateway = await system.startGateway({
      GITHUB_WEBHOOK_SECRET: SECRET,
      MAX_BODY_BYTES: String(MAX_BODY_BYTES),
    });
    url = gateway.url;
  }, 60_000);

  // Whatever a test sent, nothing of it may have been published.
  afterEach(async () => {
    const ready = await readyMessages(system.environment.RABBITMQ_URL ?? '', 'github-events');
    if (ready !== 0) throw new Error(`published in spite of its answer: ${ready} messages in the queue`);
  });

  afterAll(() => system.close());

  it('refuses a body without a signature with 401', async () => {
    const answer = await post({ body: GOOD_BODY, headers: { 'x-hub-signature-256': undefined } });
    expect(answer).toMatchObject({ status: 401, problem: { title: 'Unauthorized' } });
  });

  it.each([
    ['of another secret', createHmac('sha256', 'wrong').update(GOOD_BODY).digest('hex')],
    ['cut short', createHmac('sha256', SECRET).update(GOOD_BODY).digest('hex').slice(0, 20)],
    ['that is no hex', 'z'.repeat(64)],
    ['of zeros', '0'.repeat(64)],
    ['that is empty', ''],
  ])('refuses a signature %s with 401', async (_kind, hex) => {
    const answer = await post({ body: GOOD_BODY, headers: { 'x-hub-signature-256': `sha256=${hex}` } });
    expect(answer.status).toBe(401);
  });

  it('refuses the signature of another body with 401', async () => {
    const answer = await post({
      body: GOOD_BODY,
      headers: { 'x-hub-signature-256': sign('{"action":"closed"}') },
    });
    expect(answer.status).toBe(401);
  });

  it('names every violation of a bad envelope in one 400', async () => {
    const answer = await post({
      body: '{"action":7',
      headers: { 'x-github-event': undefined, 'x-github-delivery': 'not an id!' },
    });
    expect(answer.status).toBe(400);
    expect(answer.contentType).toContain('application/problem+json');
    expect(answer.problem.violations).toEqual([
      expect.stringContaining('X-GitHub-Delivery'),
      expect.stringContaining('X-GitHub-Event'),
      expect.stringContaining('JSON'),
    ]);
  });

  it.each([
    ['an action that is no string', '{"action":7}', 'action'],
    ['an action that is too long', `{"action":"${'a'.repeat(101)}"}`, 'action'],
    ['an array', '[1]', 'JSON object'],
    ['a string', '"hello"', 'JSON object'],
    ['null', 'null', 'JSON object'],
    ['nothing at all', '', 'body'],
    ['nesting beyond any payload', `${'{"a":'.repeat(150)}1${'}'.repeat(150)}`, 'nested'],
  ])('refuses a body that is %s with 400', async (_kind, body, named) => {
    const answer = await post({ body });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.problem)).toContain(named);
  });

  it('refuses bytes that are no UTF-8 with 400', async () => {
    const body = Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]);
    expect((await post({ body })).status).toBe(400);
  });

  it('refuses a body over the limit with 413', async () => {
    const answer = await post({ body: `{"text":"${'x'.repeat(MAX_BODY_BYTES)}"}` });
    expect(answer).toMatchObject({ status: 413, problem: { status: 413 } });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
    'refuses content of type %s with 415',
    async (type) => {
      expect((await post({ body: GOOD_BODY, headers: { 'content-type': type } })).status).toBe(415);
    },
  );

  it('refuses a compressed body with 415', async () => {
    expect((await post({ body: GOOD_BODY, headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
  });

  interface Request {
    readonly body: string | Buffer;
    /** Changes to a correct request; undefined leaves a header out. */
    readonly headers?: Readonly<Record<string, string | undefined>>;
  }

  async function post({ body, headers = {} }: Request) {
    const all: Record<string, string | undefined> = {
      'content-type': 'application/json',
      'x-github-event': 'push',
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      'x-hub-signature-256': sign(body),
      ...headers,
    };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const response = await fetch(`${url}/webhooks/github`, { method: 'POST', headers: given, body });
    const problem: unknown = await response.json();
    return {
      status: response.status,
      contentType: response.headers.get('content-type'),
      problem: { ...(typeof problem === 'object' ? problem : {}) } as Record<string, unknown>,
    };
  }
});

function sign(body: string | Buffer): string {
  return `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`;
}
