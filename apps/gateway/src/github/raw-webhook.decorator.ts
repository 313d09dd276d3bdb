import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { rawBodyOf } from '../http/raw-body.decorator.js';
import { deliveryIdOf } from './delivery.js';
import type { RawWebhook } from './webhook.pipe.js';

/** Headers and bytes of a GitHub webhook request. */
export const GithubWebhook = createParamDecorator((_data: unknown, context: ExecutionContext): RawWebhook => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const { headers } = request;
  const event = headers['x-github-event'];
  return {
    event: Array.isArray(event) ? event[0] : event,
    deliveryId: deliveryIdOf(headers),
    body: rawBodyOf(request),
  };
});
