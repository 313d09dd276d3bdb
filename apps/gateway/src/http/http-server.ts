import { UnsupportedMediaTypeException } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import type { GatewayOptions } from '../gateway.options.js';
import { letClientFinish } from './unread-body.js';

/** How often Node looks for connections past their timeouts; its default of 30 s would make 5 s mean 35. */
const TIMEOUT_CHECK_MS = 1_000;
const KEEP_ALIVE_MS = 65_000;

/** Fastify with bounds on what a slow or greedy client can hold. */
export function createHttpAdapter(options: GatewayOptions): FastifyAdapter {
  // Node gives the whole request the longer of the two times, whichever it is.
  const headersTimeout = Math.min(options.headersTimeoutMs, options.requestTimeoutMs);
  return new FastifyAdapter({
    bodyLimit: options.maxBodyBytes,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
  });
}

/** The Fastify config of a route that takes bodies of any type, up to `maxImageBytes`: its handler looks at them. */
export const LARGE_BODIES = Object.freeze({ takesLargeBodies: true });

/** Bodies arrive as the bytes they are: signatures are over them, and they are published so. Most routes take JSON. */
export function acceptRawBodies(app: NestFastifyApplication, options: GatewayOptions): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addHook('onRoute', (route) => {
    if (takesLargeBodies(route.config)) route.bodyLimit = options.maxImageBytes;
  });
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    done(encodingProblem(request), body);
  });
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    done(encodingProblem(request) ?? typeProblem(request), body);
  });
  fastify.addHook('onSend', (request, reply, _payload, done) => {
    letClientFinish(request, reply);
    done();
  });
  fastify.server.maxConnections = options.maxConnections;
  // Node stops watching its timeouts when a server begins to close, and waits for ever for half a request.
  fastify.addHook('preClose', (done) => {
    setTimeout(() => fastify.server.closeAllConnections(), options.requestTimeoutMs).unref();
    done();
  });
}

function encodingProblem({ headers }: FastifyRequest): Error | null {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding === 'identity') return null;
  return new UnsupportedMediaTypeException(`Content-Encoding ${encoding} is not supported`);
}

function typeProblem({ headers, is404, routeOptions }: FastifyRequest): Error | null {
  if (is404 || takesLargeBodies(routeOptions.config)) return null;
  const type = headers['content-type'] ?? 'none';
  return new UnsupportedMediaTypeException(`Content-Type: expected application/json, got: ${type}`);
}

function takesLargeBodies(config: object | undefined): boolean {
  return config !== undefined && Reflect.get(config, 'takesLargeBodies') === true;
}
