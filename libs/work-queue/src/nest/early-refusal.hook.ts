import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream';
import type { RefusalNotice } from '../errors/refusal.js';
import type { WorkQueue } from '../work-queue.js';
import type { EarlyReply, OnRequest } from './fastify.port.js';
import { refusedProblem } from './problem.js';
import { configuredRoute } from './refuses-early.decorator.js';

/** The part of a WorkQueue that is asked before the body is read. */
export type Gate = Pick<WorkQueue, 'preadmit'>;

/** Answers what its route's queue would refuse, before the body is read, and lets everything else go on. */
export function earlyRefusalHook(gates: ReadonlyMap<string, Gate>): OnRequest {
  return (request, reply, done) => {
    const { config, bodyLimit } = request.routeOptions;
    const route = configuredRoute(config);
    const gate = route && gates.get(route.queue);
    if (!gate) return done();
    const { options } = route;
    const answer = gate.preadmit({
      messageId: options.messageIdOf?.(request),
      priority: options.priorityOf?.(request),
    });
    if ('refusal' in answer) {
      limitUnreadBody(request.raw, reply.raw, bodyLimit);
      return send(reply, answer.refusal);
    }
    if (answer.pass) endWithResponse(reply.raw, answer.pass);
    return done();
  };
}

/** Nothing is thrown: making an Error costs more than all the rest. */
function send(reply: EarlyReply, refusal: RefusalNotice): void {
  const { status, headers, body } = refusedProblem(refusal);
  reply.code(status).headers(headers).send(body);
}

/**
 * Node reads what is left of an answered request's body, however much that is, so that the connection can carry the
 * next request. Here a client that goes on after as much as the route would have taken is cut off: by then it has had
 * its answer. How long it may take is the server's `requestTimeout`.
 */
function limitUnreadBody(request: IncomingMessage, response: ServerResponse, limitBytes: number): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  // Node's parser reads no further than the length.
  if (encoding === undefined && Number(length ?? 0) <= limitBytes) return;
  let bytes = 0;
  const count = (chunk: Buffer): void => {
    bytes += chunk.length;
    if (bytes <= limitBytes) return;
    request.off('data', count);
    finished(response, () => request.destroy());
  };
  request.on('data', count);
}

/** However the response ends. One that waits behind others on its connection is not told when that breaks. */
function endWithResponse(response: ServerResponse, pass: { end(): void }): void {
  const { socket } = response.req;
  let isOver = false;
  const end = (): void => {
    response.off('close', end);
    socket.off('close', end);
    // Node closes the response from inside the socket's own `close`, whose listeners are called all the same.
    if (!isOver) pass.end();
    isOver = true;
  };
  response.once('close', end);
  socket.once('close', end);
}
