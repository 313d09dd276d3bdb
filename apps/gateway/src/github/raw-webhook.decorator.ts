import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { RawWebhook } from './webhook.pipe.js';

/** Headers and bytes of a GitHub webhook request. */
export const GithubWebhook = createParamDecorator((_data: unknown, context: ExecutionContext): RawWebhook => {
  const { headers, body } = context.switchToHttp().getRequest<FastifyRequest>();
  return {
    event: headerOf(headers['x-github-event']),
    deliveryId: headerOf(headers['x-github-delivery']),
    body: Buffer.isBuffer(body) ? body : Buffer.alloc(0),
  };
});

function headerOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
