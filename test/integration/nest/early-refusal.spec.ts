import { once } from 'node:events';
import { connect } from 'node:net';
import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  InjectWorkQueue,
  messageIdOf,
  readIdempotencyKey,
  RefusesEarly,
  Telemetry,
  WorkQueue,
} from '@spillway/work-queue';
import { takeAll } from '../../support/messages.js';
import { NestApplications, rootModule, SMALL } from '../../support/nest-applications.js';
import { until } from '../../support/until.js';

const idOf = (key = ''): string => messageIdOf({ route: 'POST /jobs', client: 'test', key });

@Controller()
class JobsController {
  constructor(@InjectWorkQueue('jobs') private readonly jobs: WorkQueue) {}

  @Post('jobs')
  @HttpCode(202)
  @RefusesEarly('jobs', { messageIdOf: ({ headers }) => idOf(readIdempotencyKey(headers)) })
  async accept(@Body() job: unknown): Promise<void> {
    await this.jobs.publish(job);
  }

  @Get('health')
  health(): string {
    return 'fine';
  }
}

let apps: NestApplications;
let app: NestFastifyApplication;

beforeEach(async () => {
  apps = await NestApplications.create();
  // So slow that the next probe is as far away as it can be.
  const imports = [apps.workQueue({ jobs: { ...SMALL, maxLength: 1, serviceTime: '10s' } })];
  app = await NestFactory.create<NestFastifyApplication>(
    rootModule({ imports, controllers: [JobsController] }),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  await apps.adopt(app).listen(0, '127.0.0.1');
});

afterEach(() => apps.close());

async function post(key = 'k'): Promise<Response> {
  return fetch(`${await app.getUrl()}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, connection: 'close' },
    body: '{"text":"hello"}',
  });
}

/** The queue is full and its gate has seen it. */
async function fill(): Promise<void> {
  await until(async () => ((await post()).status === 503 ? undefined : 'not full yet'));
}

/** Sends the head of a request whose body does not follow, and gives back what is answered to that. */
async function answerToHead(): Promise<string> {
  const { port, hostname } = new URL(await app.getUrl());
  const socket = connect(Number(port), hostname);
  socket.write(
    'POST /jobs HTTP/1.1\r\nHost: jobs\r\nIdempotency-Key: "a, b"\r\nContent-Length: 30000\r\n\r\n',
  );
  let received = '';
  while (!received.includes('\r\n\r\n')) {
    const [chunk] = await once(socket, 'data');
    received += String(chunk);
  }
  socket.destroy();
  return received;
}

it('a full queue refuses a request before its body has come, counts it and says which work it was', async () => {
  await fill();
  const refused: string[] = [];
  app.get(Telemetry).on('publish.refused', ({ messageId }) => refused.push(messageId));
  const answer = await answerToHead();
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toMatch(/\r\nretry-after: \d+\r\n/);
  expect(answer).toContain(`"id":"${idOf('a, b')}"`);
  expect(refused).toEqual([idOf('a, b')]);
});

it('a full queue refuses at the door what is not even asked for its body, and nothing else', async () => {
  await fill();
  expect((await post('no key, no quotes')).status).toBe(400);
  expect((await fetch(`${await app.getUrl()}/health`)).status).toBe(200);
});

it('a queue that has room again is found to by the requests themselves', async () => {
  await fill();
  await takeAll(apps.vhost.url, 'jobs');
  await until(async () => ((await post()).status === 202 ? undefined : 'still refused'));
  await expect(takeAll(apps.vhost.url, 'jobs')).resolves.toHaveLength(1);
});
