import { Controller, Get, NotFoundException, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { GITHUB_EVENTS, GithubEvent } from '@spillway/contracts';
import { type EarlyRequest, InjectWorkQueue, RefusesEarly, WorkQueue } from '@spillway/work-queue';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readPriority } from '../http/priority.js';
import type { WorkAnswer } from '../http/work-answer.js';
import { WorkIntake } from '../http/work-intake.js';
import { deliveryIdOf, messageIdOfDelivery } from './delivery.js';
import { GithubWebhook } from './raw-webhook.decorator.js';
import { SignatureGuard } from './signature.guard.js';
import { WebhookPipe } from './webhook.pipe.js';

@Controller('webhooks/github')
export class GithubWebhookController {
  constructor(
    @InjectWorkQueue(GITHUB_EVENTS) private readonly events: WorkQueue<GithubEvent>,
    private readonly intake: WorkIntake,
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
  receive(
    @GithubWebhook(WebhookPipe) event: GithubEvent,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkAnswer['body']> {
    const messageId = messageIdOfDelivery(event.deliveryId);
    const locationOf = (): string => `/webhooks/github/${event.deliveryId}`;
    return this.intake.take({ queue: this.events, payload: event, messageId, locationOf }, request, reply);
  }

  /** The address a 202 points to. The gateway keeps no record of what it stored, and says so. */
  @Get(':id')
  status(@Param('id') id: string): never {
    throw new NotFoundException(
      `the gateway keeps no state of ${id}: once written, it is the row of table webhook_events with that delivery_id`,
    );
  }
}

function earlyMessageId({ headers }: EarlyRequest): string | undefined {
  const deliveryId = deliveryIdOf(headers);
  return deliveryId === undefined ? undefined : messageIdOfDelivery(deliveryId);
}
