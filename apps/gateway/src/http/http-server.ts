import { UnsupportedMediaTypeException } from '@nestjs/common';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { GatewayOptions } from '../gateway.options.js';

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

/** JSON bodies arrive as the bytes they are: the signature is over them, and they are published so. */
export function acceptRawJson(app: NestFastifyApplication, options: GatewayOptions): void {
  const fastify = app.getHttpAdapter().getInstance();
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding === 'identity') done(null, body);
    else done(new UnsupportedMediaTypeException(`Content-Encoding ${encoding} is not supported`));
  });
  fastify.server.maxConnections = options.maxConnections;
  // Node stops watching its timeouts when a server begins to close, and waits for ever for half a request.
  fastify.addHook('preClose', (done) => {
    setTimeout(() => fastify.server.closeAllConnections(), options.requestTimeoutMs).unref();
    done();
  });
}
