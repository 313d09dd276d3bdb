import { IsInstance, IsOptional, IsString, Matches, MaxLength } from 'class-validator';

/** The queue of GitHub webhook events, from the gateway to the events worker. */
export const GITHUB_EVENTS = 'github-events';

/** One GitHub webhook event as it lies in the queue. */
export class GithubEvent {
  /** GitHub's id of the delivery: what makes writing it once possible. The message id is made from it. */
  @Matches(/^[\w-]{1,100}$/, {
    message: 'deliveryId (X-GitHub-Delivery): expected 1 to 100 letters, digits, - or _',
  })
  deliveryId: string;

  /** Name of the event, such as `push` or `pull_request`. */
  @Matches(/^[a-z][a-z0-9_]{0,99}$/, {
    message: 'event (X-GitHub-Event): expected a GitHub event name such as push',
  })
  event: string;

  /** What happened, such as `opened`; not every event has one. */
  @IsOptional()
  @IsString({ message: 'action: expected a string' })
  @MaxLength(100, { message: 'action: expected at most 100 characters' })
  action?: string;

  /** The payload: JSON in UTF-8, byte for byte as GitHub sent it. */
  @IsInstance(Uint8Array, { message: 'body: expected bytes' })
  body: Uint8Array;

  constructor(fields?: Pick<GithubEvent, 'deliveryId' | 'event' | 'action' | 'body'>) {
    Object.assign(this, fields);
  }
}
