import { Controller, Get, HttpCode, NotFoundException, Param, Post, Res, UseGuards } from '@nestjs/common';
import { GITHUB_EVENTS, GithubEvent } from '@spillway/contracts';
import { InjectWorkQueue, type PublishReceipt, WorkQueue } from '@spillway/work-queue';
import type { FastifyReply } from 'fastify';
import { GithubWebhook } from './raw-webhook.decorator.js';
import { SignatureGuard } from './signature.guard.js';
import { WebhookPipe } from './webhook.pipe.js';

/** What a sender gets with its 202. */
type Accepted = Omit<PublishReceipt, 'mayBeDropped'> & { mayBeDropped?: true };

@Controller('webhooks/github')
export class GithubWebhookController {
  constructor(@InjectWorkQueue(GITHUB_EVENTS) private readonly events: WorkQueue<GithubEvent>) {}

  /** 202 only after the broker's confirm; a refusal is answered by WorkQueueModule's exception filter. */
  @Post()
  @HttpCode(202)
  @UseGuards(SignatureGuard)
  async receive(
    @GithubWebhook(WebhookPipe) event: GithubEvent,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Accepted> {
    const { mayBeDropped, ...receipt } = await this.events.publish(event, { messageId: event.deliveryId });
    void reply.header('location', `/webhooks/github/${receipt.id}`);
    return mayBeDropped ? { ...receipt, mayBeDropped } : receipt;
  }

  /** The address a 202 points to. The gateway keeps no record of what it stored, and says so. */
  @Get(':id')
  status(@Param('id') id: string): never {
    throw new NotFoundException(
      `the gateway keeps no state of ${id}: once written, it is the row of table webhook_events with that delivery_id`,
    );
  }
}
