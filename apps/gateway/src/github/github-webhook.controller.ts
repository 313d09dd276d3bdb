import { Controller, Get, Inject, NotFoundException, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { GITHUB_EVENTS, GithubEvent } from '@spillway/contracts';
import {
  type EarlyRequest,
  InjectWorkQueue,
  readPrefer,
  RefusesEarly,
  WorkQueue,
} from '@spillway/work-queue';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayOptions } from '../gateway.options.js';
import { GATEWAY_OPTIONS } from '../gateway.tokens.js';
import { clientGone } from '../http/client-gone.js';
import { readPriority } from '../http/priority.js';
import { requestAnswer, storedAnswer, type WorkAnswer } from '../http/work-answer.js';
import { deliveryIdOf, messageIdOfDelivery } from './delivery.js';
import { GithubWebhook } from './raw-webhook.decorator.js';
import { SignatureGuard } from './signature.guard.js';
import { WebhookPipe } from './webhook.pipe.js';

@Controller('webhooks/github')
export class GithubWebhookController {
  constructor(
    @InjectWorkQueue(GITHUB_EVENTS) private readonly events: WorkQueue<GithubEvent>,
    @Inject(GATEWAY_OPTIONS) private readonly options: GatewayOptions,
  ) {}

  /**
   * 202 only after the broker's confirm; with `Prefer: wait` 200 and what the worker said, if it is done in time. A
   * refusal is answered before the body is read, or by WorkQueueModule's exception filter.
   */
  @Post()
  @UseGuards(SignatureGuard)
  @RefusesEarly(GITHUB_EVENTS, {
    messageIdOf: earlyMessageId,
    priorityOf: ({ headers }) => readPriority(headers),
  })
  async receive(
    @GithubWebhook(WebhookPipe) event: GithubEvent,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkAnswer['body']> {
    const { status, headers, body } = await this.take(event, request, reply);
    void reply.status(status).headers(headers);
    return body;
  }

  /** The address a 202 points to. The gateway keeps no record of what it stored, and says so. */
  @Get(':id')
  status(@Param('id') id: string): never {
    throw new NotFoundException(
      `the gateway keeps no state of ${id}: once written, it is the row of table webhook_events with that delivery_id`,
    );
  }

  private async take(
    event: GithubEvent,
    { headers }: FastifyRequest,
    { raw }: FastifyReply,
  ): Promise<WorkAnswer> {
    const preference = readPrefer(headers, this.options.maxWaitMs);
    const { waitMs } = preference;
    const stored = { location: `/webhooks/github/${event.deliveryId}`, preference };
    const work = { messageId: messageIdOfDelivery(event.deliveryId), priority: readPriority(headers) };
    if (waitMs === undefined) return storedAnswer(await this.events.publish(event, work), stored);
    const signal = clientGone(raw);
    return requestAnswer(await this.events.request(event, { ...work, waitMs, signal }), stored);
  }
}

function earlyMessageId({ headers }: EarlyRequest): string | undefined {
  const deliveryId = deliveryIdOf(headers);
  return deliveryId === undefined ? undefined : messageIdOfDelivery(deliveryId);
}
