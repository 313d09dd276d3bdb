import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { connect, type MessageProperties } from 'amqplib';
import sharp from 'sharp';
import { photograph } from '../support/photographs.js';
import { System } from '../support/system.js';
import { until } from '../support/until.js';

const MAX_IMAGE_BYTES = 5_000_000;
const QUEUE = { maxLength: 20, prefetch: 2, type: 'classic' };

interface Size {
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly type: string;
  readonly data: string;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { readonly sizes?: Size[] };
}

describe('a photograph that is posted', () => {
  let system: System;
  let url: string;
  let jpeg: Buffer;

  beforeAll(async () => {
    system = await System.create({ maxLength: 10, type: 'classic' }, undefined, QUEUE);
    ({ url } = await system.startGateway({ MAX_IMAGE_BYTES: String(MAX_IMAGE_BYTES) }));
    await system.startThumbnailsWorker();
    jpeg = await photograph();
  }, 60_000);

  afterAll(() => system.close());

  describe('by a client that waits', () => {
    it.each(['jpeg', 'png', 'webp'] as const)('as %s is answered with its sizes as WebP', async (type) => {
      const { status, headers, body } = await wait(await photograph({ type, width: 1_200, height: 900 }));
      expect({ status, body }).toMatchObject({ status: 200 });
      expect(headers.get('preference-applied')).toBe('wait=20');
      expect(await decoded(body.sizes)).toEqual([
        { format: 'webp', width: 64, height: 48 },
        { format: 'webp', width: 256, height: 192 },
        { format: 'webp', width: 1_024, height: 768 },
      ]);
    });

    it('is told the measures and the length of each size, and has the same files kept', async () => {
      const { body } = await wait(jpeg);
      const files = await Promise.all([64, 256, 1_024].map((width) => kept(body.id, `${width}.webp`)));
      expect(body).toEqual({
        id: expect.stringMatching(/^[\w-]{22}$/),
        sizes: [
          { ...fileOf(files[0]), width: 64, height: 48 },
          { ...fileOf(files[1]), width: 256, height: 192 },
          { ...fileOf(files[2]), width: 1_024, height: 768 },
        ],
      });
    });

    it('is turned upright as its EXIF says, and loses it', async () => {
      const { body } = await wait(await photograph({ width: 400, height: 300, orientation: 6 }));
      expect(await decoded(body.sizes)).toMatchObject([
        { width: 64, height: 85 },
        { width: 256, height: 341 },
        { width: 300, height: 400 },
      ]);
      const [first] = body.sizes ?? [];
      const { exif, orientation } = await sharp(Buffer.from(first?.data ?? '', 'base64')).metadata();
      expect({ exif, orientation }).toEqual({ exif: undefined, orientation: undefined });
    });

    it('is never enlarged', async () => {
      const { body } = await wait(await photograph({ width: 100, height: 80 }));
      expect(body.sizes?.map(({ width }) => width)).toEqual([64, 100, 100]);
    });

    it.each([
      ['is cut short', (file: Buffer) => file.subarray(0, file.length / 2)],
      ['only begins like one', () => Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3])],
    ])('and %s is answered 422, and kept as a dead letter with the reason', async (_kind, broken) => {
      const { status, body } = await wait(broken(jpeg));
      expect({ status, body }).toMatchObject({
        status: 422,
        body: { reason: 'work-failed', deadReason: 'invalid', queue: 'images' },
      });
      const { messageId, headers } = await takeDeadLetter();
      expect(messageId).toBe(body.id);
      expect(headers).toMatchObject({
        'x-dead-attempts': 1,
        'x-dead-error': expect.stringMatching(/not a photograph that can be read: .*JPEG/),
      });
    });
  });

  it('by a client that does not wait is answered 202, and has its sizes kept soon', async () => {
    const { status, headers, body } = await post(jpeg);
    expect({ status, body }).toEqual({
      status: 202,
      body: { id: expect.stringMatching(/^[\w-]{22}$/), queue: 'images' },
    });
    expect(headers.get('location')).toBe(`/images/${String(body.id)}`);
    await until(async () => ((await isKept(body.id)) ? undefined : 'no files'));
    expect((await readdir(folderOf(body.id))).toSorted()).toEqual(['1024.webp', '256.webp', '64.webp']);
  });

  it('twice with one key is the same work; another photograph with that key is refused', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const first = await wait(jpeg, key);
    const again = await wait(jpeg, key);
    expect(again).toMatchObject({ status: 200, body: { id: first.body.id } });
    const other = await post(await photograph({ width: 80, height: 60 }), key);
    expect(other).toMatchObject({ status: 422, body: { reason: 'conflict' } });
  });

  it.each(['image/jpeg', 'image/png', 'application/json', 'application/x-www-form-urlencoded', undefined])(
    'is known by its content, whatever the type %j says',
    async (type) => {
      const { status } = await post(jpeg, { 'content-type': type });
      expect(status).toBe(202);
    },
  );

  describe('is refused', () => {
    it.each([
      ['a text', 'image/jpeg', 'I am no photograph'],
      ['a GIF', 'image/gif', 'GIF89a\x01\x00\x01\x00'],
      ['JSON', 'application/json', '{}'],
    ])('with 415 when it is %s, and told what is taken', async (_kind, type, body) => {
      const answer = await post(Buffer.from(body, 'latin1'), { 'content-type': type });
      expect(answer).toMatchObject({ status: 415, body: { title: 'Unsupported Media Type' } });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.body.detail).toContain('image/jpeg, image/png, image/webp');
    });

    it('with 400 when it is empty', async () => {
      expect(await post(Buffer.alloc(0))).toMatchObject({ status: 400, body: { status: 400 } });
    });

    it('with 413 when it is too large, which its sender can read however busy it is sending', async () => {
      const large = Buffer.concat([jpeg, Buffer.alloc(MAX_IMAGE_BYTES)]);
      const answers = await Promise.all(Array.from({ length: 10 }, () => post(large)));
      for (const answer of answers) expect(answer).toMatchObject({ status: 413, body: { status: 413 } });
    });

    it('with 413 when it never ends, and cut off', async () => {
      const { port, hostname } = new URL(url);
      const socket = connectSocket(Number(port), hostname);
      let answer = '';
      socket.on('data', (text) => (answer += String(text)));
      socket.on('error', () => undefined);
      socket.write('POST /images HTTP/1.1\r\nhost: gateway\r\ncontent-length: 1000000000\r\n\r\n');
      // n.b. one that only writes may find the connection broken before it has looked for the answer.
      await once(socket, 'data');
      const isOpen = (): boolean => socket.writable;
      while (isOpen())
        await new Promise<unknown>((written) => socket.write(Buffer.alloc(1_000_000), written));
      expect(answer).toMatch(/^HTTP\/1.1 413 /);
      expect(socket.bytesWritten).toBeLessThan(100_000_000);
    });

    it('with 415 where webhooks are taken', async () => {
      const headers = { 'content-type': 'image/jpeg' };
      const { status } = await fetch(`${url}/webhooks/github`, { method: 'POST', headers, body: 'x' });
      expect(status).toBe(415);
    });

    it('with 415 when it is compressed', async () => {
      expect(await post(jpeg, { 'content-encoding': 'gzip' })).toMatchObject({ status: 415 });
    });

    it('with 400 when its key is none', async () => {
      expect(await post(jpeg, { 'idempotency-key': '""' })).toMatchObject({ status: 400 });
    });
  });

  /** A header that is undefined is left out. */
  async function post(body: Buffer, headers: Record<string, string | undefined> = {}): Promise<Answer> {
    const given: Record<string, string | undefined> = { 'content-type': 'image/jpeg', ...headers };
    const all = Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const response = await fetch(`${url}/images`, { method: 'POST', headers: all, body });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Answer['body'],
    };
  }

  const wait = (body: Buffer, headers: Record<string, string> = {}): Promise<Answer> =>
    post(body, { prefer: 'wait=20', ...headers });

  const folderOf = (id: unknown): string => join(system.dataFolder, 'thumbnails', String(id));
  const kept = (id: unknown, name: string): Promise<Buffer> => readFile(join(folderOf(id), name));

  async function isKept(id: unknown): Promise<boolean> {
    return (await readdir(join(system.dataFolder, 'thumbnails'))).includes(String(id));
  }

  async function takeDeadLetter(): Promise<MessageProperties> {
    const connection = await connect(system.environment.RABBITMQ_URL ?? '');
    try {
      const message = await (await connection.createChannel()).get('images.dead', { noAck: true });
      if (message === false) throw new Error('no dead letter');
      return message.properties;
    } finally {
      await connection.close();
    }
  }
});

function fileOf(file: Buffer | undefined): Partial<Size> {
  return { bytes: file?.length, type: 'image/webp', data: file?.toString('base64') };
}

async function decoded(sizes: readonly Size[] = []) {
  return Promise.all(
    sizes.map(async ({ data }) => {
      const { info } = await sharp(Buffer.from(data, 'base64')).raw().toBuffer({ resolveWithObject: true });
      const { format } = await sharp(Buffer.from(data, 'base64')).metadata();
      return { format, width: info.width, height: info.height };
    }),
  );
}
