import 'reflect-metadata';
import {
  BadRequestException,
  Body,
  Controller,
  Get,
  HttpCode,
  Logger,
  Module,
  Post,
  type Type,
  Version,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, DiscoveryModule, NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication, RouteConfig } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigurationError } from '../errors/configuration.error.js';
import { type Refusal, toError, toNotice } from '../errors/refusal.js';
import type { Gate } from './early-refusal.hook.js';
import { EarlyRefusal } from './early-refusal.js';
import { type EarlyRequest } from './fastify.port.js';
import { RefusesEarly } from './refuses-early.decorator.js';
import { workQueueToken } from './tokens.js';
import { WorkQueueExceptionFilter } from './work-queue.exception-filter.js';

const FULL: Refusal = {
  reason: 'queue-full',
  queue: 'jobs',
  messageId: 'id-1',
  because: '5 ready',
  retryAfterMs: 1_500,
};

/** A queue that takes nothing. */
const full: Gate = { preadmit: () => ({ refusal: toNotice(FULL) }) };
const open: Gate = { preadmit: () => ({ pass: undefined }) };

let apps: NestFastifyApplication[] = [];

afterEach(async () => {
  jest.restoreAllMocks();
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

interface StartOptions {
  readonly gate?: Gate;
  readonly adapter?: FastifyAdapter;
  /** What the application's main does before its init. */
  readonly prepare?: (app: NestFastifyApplication) => void;
}

async function start(controller: Type, options: StartOptions = {}): Promise<NestFastifyApplication> {
  const { gate = full, adapter = new FastifyAdapter(), prepare } = options;
  @Module({
    imports: [DiscoveryModule],
    controllers: [controller],
    providers: [
      EarlyRefusal,
      { provide: workQueueToken('jobs'), useValue: gate },
      { provide: APP_FILTER, useClass: WorkQueueExceptionFilter },
    ],
  })
  class Root {}
  const app = await NestFactory.create<NestFastifyApplication>(Root, adapter, {
    logger: false,
    abortOnError: false,
  });
  apps.push(app);
  prepare?.(app);
  return app.init();
}

const post = (app: NestFastifyApplication, url: string, headers: Record<string, string> = {}) =>
  app.inject({ method: 'POST', url, headers, payload: { a: 1 } });

@Controller()
class Jobs {
  @Post('jobs')
  @HttpCode(202)
  @RefusesEarly('jobs')
  accept(@Body() body: unknown): unknown {
    return body;
  }

  @Get('jobs')
  list(): string {
    return 'listed';
  }

  @Post('late')
  late(): never {
    throw toError(FULL);
  }
}

describe('a route that refuses early', () => {
  it('is refused without its handler while the queue takes nothing', async () => {
    const response = await post(await start(Jobs), '/jobs');
    expect(response.statusCode).toBe(503);
    expect(response.headers).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      'retry-after': '2',
    });
    expect(response.json()).toMatchObject({ reason: 'queue-full', id: 'id-1', retryAfterMs: 1_500 });
  });

  it('gives the same answer, to the byte, as a refusal at the publish', async () => {
    const app = await start(Jobs);
    const [early, late] = [await post(app, '/jobs'), await post(app, '/late')];
    const withoutDate = ({ date: _date, ...headers }: Record<string, unknown>) => Object.entries(headers);
    expect(early.rawPayload).toEqual(late.rawPayload);
    expect(withoutDate(early.headers)).toEqual(withoutDate(late.headers));
  });

  it('goes on to its handler while the queue takes something', async () => {
    const response = await post(await start(Jobs, { gate: open }), '/jobs');
    expect(response).toMatchObject({ statusCode: 202, body: '{"a":1}' });
  });

  it('leaves the other routes alone, also the one with the same address', async () => {
    const app = await start(Jobs);
    expect((await app.inject('/jobs')).body).toBe('listed');
    expect((await app.inject({ method: 'HEAD', url: '/jobs' })).statusCode).toBe(200);
    expect((await app.inject('/nowhere')).statusCode).toBe(404);
  });

  it('is found over a socket as well', async () => {
    const app = await start(Jobs);
    await app.listen(0, '127.0.0.1');
    const response = await fetch(`${await app.getUrl()}/jobs`, { method: 'POST', body: 'x' });
    expect(response.status).toBe(503);
  });

  it('is found behind a prefix', async () => {
    const app = await start(Jobs, { prepare: (made) => made.setGlobalPrefix('api') });
    expect((await post(app, '/api/jobs')).statusCode).toBe(503);
  });

  it.each([
    ['in the address', { type: VersioningType.URI }, '/v2/jobs', {}],
    ['in a header', { type: VersioningType.HEADER, header: 'x-version' }, '/jobs', { 'x-version': '2' }],
  ] as const)('is found with a version %s', async (_where, versioning, url, headers) => {
    @Controller()
    class Versioned {
      @Post('jobs')
      @Version('1')
      first(): void {}

      @Post('jobs')
      @Version('2')
      @RefusesEarly('jobs')
      second(): void {}
    }
    const app = await start(Versioned, { prepare: (made) => made.enableVersioning(versioning) });
    expect((await post(app, url, headers)).statusCode).toBe(503);
    expect((await post(app, '/v1/jobs', { 'x-version': '1' })).statusCode).not.toBe(503);
  });
});

describe('what the gate is asked', () => {
  @Controller()
  class Named {
    @Post('jobs')
    @RefusesEarly('jobs', {
      messageIdOf({ headers }: EarlyRequest) {
        if (headers['x-id'] === '') throw new BadRequestException('no id');
        return String(headers['x-id']);
      },
      priorityOf: ({ url }) => (url.endsWith('?later') ? 'low' : 'normal'),
    })
    accept(): void {}
  }

  it('is the id and the priority that the route reads from the request', async () => {
    const gate = { preadmit: jest.fn<Gate['preadmit']>(full.preadmit) };
    await post(await start(Named, { gate }), '/jobs?later', { 'x-id': 'a' });
    expect(gate.preadmit).toHaveBeenCalledWith({ messageId: 'a', priority: 'low' });
  });

  it('is nothing when reading them throws, which is answered like any exception', async () => {
    const gate = { preadmit: jest.fn<Gate['preadmit']>(full.preadmit) };
    const response = await post(await start(Named, { gate }), '/jobs', { 'x-id': '' });
    expect(response).toMatchObject({ statusCode: 400 });
    expect(response.json()).toMatchObject({ message: 'no id' });
    expect(gate.preadmit).not.toHaveBeenCalled();
  });
});

describe('the start', () => {
  it('keeps what @RouteConfig below has put there', async () => {
    let seen: unknown;
    @Controller()
    class Configured {
      @Post('jobs')
      @RefusesEarly('jobs', { messageIdOf: ({ routeOptions }) => void (seen = routeOptions.config) })
      @RouteConfig({ rateLimit: 7 })
      accept(): void {}
    }
    await post(await start(Configured), '/jobs');
    expect(seen).toMatchObject({ rateLimit: 7 });
  });

  it('fails when @RouteConfig above has replaced it', async () => {
    @Controller()
    class Overwritten {
      @Post('jobs')
      @RouteConfig({ rateLimit: 7 })
      @RefusesEarly('jobs')
      accept(): void {}
    }
    const starting = start(Overwritten);
    await expect(starting).rejects.toThrow(ConfigurationError);
    await expect(starting).rejects.toThrow('@RefusesEarly of Overwritten.accept is lost in @RouteConfig');
  });

  it('fails when the queue is not one of the module', async () => {
    @Controller()
    class Unknown {
      @Post('jobs')
      @RefusesEarly('other')
      accept(): void {}
    }
    await expect(start(Unknown)).rejects.toThrow(/names the queue "other": list it/);
  });

  it('says once that another adapter has no early refusal, and goes on', async () => {
    class NotFastify extends FastifyAdapter {
      override getType(): string {
        return 'express';
      }
    }
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const app = await start(Jobs, { adapter: new NotFastify() });
    expect(warn.mock.calls.flat()).toEqual([expect.stringContaining('needs Fastify')]);
    expect((await post(app, '/jobs')).statusCode).toBe(202);
  });
});
