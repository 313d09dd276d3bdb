import {
  type ArgumentsHost,
  BadRequestException,
  Body,
  Catch,
  Controller,
  type ExceptionFilter,
  Get,
  HttpCode,
  Post,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { InjectWorkQueue, PublishRefusedError, Telemetry, WorkQueue } from '@spillway/work-queue';
import { takeAll } from '../../support/messages.js';
import { NestApplications, rootModule, SMALL } from '../../support/nest-applications.js';
import { manage } from '../../support/vhost.js';

interface Job {
  readonly id?: string;
  readonly text: string;
}

@Controller()
class JobsController {
  constructor(@InjectWorkQueue('jobs') private readonly jobs: WorkQueue<Job>) {}

  @Post('jobs')
  @HttpCode(202)
  async accept(@Body() job: Job): Promise<{ id: string }> {
    const { id } = await this.jobs.publish(job, { messageId: job.id });
    return { id };
  }

  @Get('bad')
  bad(): never {
    throw new BadRequestException('never mind');
  }

  @Get('defect')
  defect(): never {
    throw new TypeError('a defect');
  }
}

let apps: NestApplications;

beforeEach(async () => {
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

interface StartOptions {
  readonly jobs?: object;
  readonly maxMessageBytes?: number;
  readonly filters?: ExceptionFilter[];
}

async function start({
  jobs,
  maxMessageBytes,
  filters = [],
}: StartOptions = {}): Promise<NestFastifyApplication> {
  const imports = [apps.workQueue({ jobs: { ...SMALL, ...jobs } }, { maxMessageBytes })];
  const app = await NestFactory.create<NestFastifyApplication>(
    rootModule({ imports, controllers: [JobsController] }),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  app.useGlobalFilters(...filters);
  await apps.adopt(app).listen(0, '127.0.0.1');
  return app;
}

async function post(app: NestFastifyApplication, job: Job): Promise<Response> {
  return fetch(`${await app.getUrl()}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify(job),
  });
}

it('a request is answered only after the broker has confirmed its message', async () => {
  const app = await start();
  const order: string[] = [];
  app.get(Telemetry).on('publish.accepted', ({ messageId }) => order.push(`confirmed ${messageId}`));
  const response = await post(app, { id: 'job-1', text: 'hello' });
  order.push(`answered ${response.status}`);
  await expect(response.json()).resolves.toEqual({ id: 'job-1' });
  expect(order).toEqual(['confirmed job-1', 'answered 202']);
  await expect(takeAll(apps.vhost.url, 'jobs')).resolves.toHaveLength(1);
});

it('a full queue without workers is 503 with Retry-After in whole seconds and a problem that says why', async () => {
  const app = await start({ jobs: { maxLength: 1 } });
  await post(app, { text: 'fills it' });
  const response = await post(app, { id: 'job-2', text: 'too much' });
  expect(response.status).toBe(503);
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(response.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  const problem: unknown = await response.json();
  expect(problem).toEqual({
    type: 'urn:spillway:problem:no-workers',
    title: 'The queue is full and has no workers',
    status: 503,
    detail: expect.stringContaining('1 ready, limit 1'),
    reason: 'no-workers',
    code: 'WQ_NO_WORKERS',
    queue: 'jobs',
    id: 'job-2',
    retryAfterMs: expect.any(Number),
  });
  const { retryAfterMs } = problem as { retryAfterMs: number };
  expect(Number(response.headers.get('retry-after'))).toBe(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  await expect(takeAll(apps.vhost.url, 'jobs')).resolves.toMatchObject([{ payload: { text: 'fills it' } }]);
});

it('an id the client did not give is told with the refusal, so that it can be sent again', async () => {
  const app = await start({ jobs: { maxLength: 1 } });
  await post(app, { text: 'fills it' });
  const response = await post(app, { text: 'too much' });
  await expect(response.json()).resolves.toMatchObject({ id: expect.stringMatching(/^[\w-]{22}$/) });
});

it('a message that will never fit is 413 without Retry-After', async () => {
  const app = await start({ maxMessageBytes: 100 });
  const response = await post(app, { text: 'x'.repeat(200) });
  expect(response.status).toBe(413);
  expect(response.headers.get('retry-after')).toBeNull();
  await expect(response.json()).resolves.toMatchObject({
    reason: 'too-large',
    code: 'WQ_MESSAGE_TOO_LARGE',
    status: 413,
  });
});

it('a queue that was deleted behind our back is 500 without Retry-After', async () => {
  const app = await start();
  await manage('DELETE', `queues/${apps.vhost.name}/jobs`);
  const response = await post(app, { text: 'lost?' });
  expect(response.status).toBe(500);
  expect(response.headers.get('retry-after')).toBeNull();
  await expect(response.json()).resolves.toMatchObject({ reason: 'unroutable', code: 'WQ_UNROUTABLE' });
});

it.each([
  ['bad', 400, { message: 'never mind', error: 'Bad Request', statusCode: 400 }],
  ['defect', 500, { message: 'Internal server error', statusCode: 500 }],
  ['nowhere', 404, { message: 'Cannot GET /nowhere', error: 'Not Found', statusCode: 404 }],
])('%s is answered by NestJS as ever', async (path, status, body) => {
  const response = await fetch(`${await (await start()).getUrl()}/${path}`);
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toContain('application/json');
  await expect(response.json()).resolves.toEqual(body);
});

it('a filter given to useGlobalFilters answers refusals its own way', async () => {
  @Catch(PublishRefusedError)
  class TeapotFilter implements ExceptionFilter {
    catch(error: PublishRefusedError, host: ArgumentsHost): void {
      const response = host
        .switchToHttp()
        .getResponse<{ code(status: number): { send(body: string): void } }>();
      response.code(418).send(error.code);
    }
  }
  const app = await start({ jobs: { maxLength: 1 }, filters: [new TeapotFilter()] });
  await post(app, { text: 'fills it' });
  const response = await post(app, { text: 'too much' });
  expect(response.status).toBe(418);
  await expect(response.text()).resolves.toBe('WQ_NO_WORKERS');
});
