import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';

/** The bytes of a request as they came; none when it had no body. */
export function rawBodyOf({ body }: FastifyRequest): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0);
}

/** `rawBodyOf` as a parameter. */
export const RawBody = createParamDecorator((_data: unknown, context: ExecutionContext): Buffer => {
  return rawBodyOf(context.switchToHttp().getRequest<FastifyRequest>());
});
