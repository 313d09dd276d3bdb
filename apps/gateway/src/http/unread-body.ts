import { finished } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';

const TOO_LARGE = 413;

/**
 * Fastify closes the connection of a body that is too large, and a client that is still sending then finds it broken
 * instead of reading why. So the rest is read and thrown away, as much again as the route would have taken; who sends
 * more is cut off all the same. How long it may take is the server's `requestTimeout`.
 */
export function letClientFinish(request: FastifyRequest, reply: FastifyReply): void {
  if (reply.statusCode !== TOO_LARGE) return;
  reply.removeHeader('connection');
  const { raw } = request;
  let leftBytes = request.routeOptions.bodyLimit;
  raw.on('data', function count({ length }: Buffer): void {
    leftBytes -= length;
    if (leftBytes >= 0) return;
    raw.off('data', count);
    finished(reply.raw, () => raw.destroy());
  });
}
