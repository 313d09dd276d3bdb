import { Inject, Injectable } from '@nestjs/common';
import { readPrefer, type WorkQueue } from '@spillway/work-queue';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayOptions } from '../gateway.options.js';
import { GATEWAY_OPTIONS } from '../gateway.tokens.js';
import { clientGone } from './client-gone.js';
import { readPriority } from './priority.js';
import { requestAnswer, storedAnswer, type WorkAnswer } from './work-answer.js';

/** One piece of work that came by HTTP. */
export interface Work<T> {
  readonly queue: WorkQueue<T>;
  readonly payload: T;
  /** Its identity when the client gave it one. */
  readonly messageId: string | undefined;
  /** Where its state could be asked for, by its message id. */
  readonly locationOf: (messageId: string) => string;
}

/** Takes work in as the client asks for it: with its priority, and waiting for the result or not. */
@Injectable()
export class WorkIntake {
  constructor(@Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions) {}

  /**
   * Sets status and headers of the reply, and resolves with its body. A refusal is thrown, for WorkQueueModule's
   * exception filter.
   */
  async take<T>(work: Work<T>, request: FastifyRequest, reply: FastifyReply): Promise<WorkAnswer['body']> {
    const { status, headers, body } = await this.answer(work, request, reply);
    void reply.status(status).headers(headers);
    return body;
  }

  private async answer<T>(
    { queue, payload, messageId, locationOf }: Work<T>,
    { headers }: FastifyRequest,
    { raw }: FastifyReply,
  ): Promise<WorkAnswer> {
    const preference = readPrefer(headers, this.options.maxWaitMs);
    const { waitMs } = preference;
    const options = { messageId, priority: readPriority(headers) };
    if (waitMs === undefined) {
      const receipt = await queue.publish(payload, options);
      return storedAnswer(receipt, { location: locationOf(receipt.id), preference });
    }
    const outcome = await queue.request(payload, { ...options, waitMs, signal: clientGone(raw) });
    return requestAnswer(outcome, { location: locationOf(outcome.receipt.id), preference });
  }
}
