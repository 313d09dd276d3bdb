import { BadRequestException, Injectable, type PipeTransform } from '@nestjs/common';
import { GithubEvent } from '@spillway/contracts';
import { validateSync } from 'class-validator';
import { readWebhookBody } from './webhook-body.js';

/** The parts of a request that make an event. */
export interface RawWebhook {
  readonly event: string | undefined;
  readonly deliveryId: string | undefined;
  readonly body: Buffer;
}

/** A request's envelope as a valid GithubEvent, or a 400 that names every violation. */
@Injectable()
export class WebhookPipe implements PipeTransform<RawWebhook, GithubEvent> {
  transform(raw: RawWebhook): GithubEvent {
    const content = readWebhookBody(raw.body);
    const event = new GithubEvent({
      deliveryId: raw.deliveryId ?? '',
      event: raw.event ?? '',
      action: 'fields' in content ? (Reflect.get(content.fields, 'action') ?? undefined) : undefined,
      body: raw.body,
    });
    const violations = [
      ...validateSync(event).flatMap((error) => Object.values(error.constraints ?? {})),
      ...('violation' in content ? [content.violation] : []),
    ];
    if (violations.length === 0) return event;
    throw new BadRequestException({
      message: `the webhook is not valid: ${violations.join('; ')}`,
      violations,
    });
  }
}
