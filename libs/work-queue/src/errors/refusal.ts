import { BrokerBlockedError } from '../errors/broker-blocked.error.js';
import { BrokerUnavailableError } from '../errors/broker-unavailable.error.js';
import { ConfirmLostError } from '../errors/confirm-lost.error.js';
import { ConfirmTimeoutError } from '../errors/confirm-timeout.error.js';
import { MessageTooLargeError } from '../errors/message-too-large.error.js';
import type { PublishRefusedDetails, PublishRefusedError } from '../errors/publish-refused.error.js';
import { PublisherBusyError } from '../errors/publisher-busy.error.js';
import { QueueFullError } from '../errors/queue-full.error.js';
import { UnroutableError } from '../errors/unroutable.error.js';
import type { RefusalReason } from '../errors/work-queue.error.js';

export interface Refusal extends PublishRefusedDetails {
  readonly reason: RefusalReason;
  /** What the message cannot know by itself: a limit, a state, a size. */
  readonly because: string;
  readonly wasSilent?: boolean;
}

/** The typed error of a refusal, with a message that says what happened and what to do next. */
export function toError(refusal: Refusal): PublishRefusedError {
  const { queue, because } = refusal;
  switch (refusal.reason) {
    case 'queue-full':
      return new QueueFullError(`queue ${queue} is full (${because}); try again later`, refusal);
    case 'gateway-busy':
      return new PublisherBusyError(
        `no slot in the confirm window of queue ${queue} (${because}); try again`,
        refusal,
      );
    case 'broker-unavailable':
      return new BrokerUnavailableError(
        `the broker took nothing for queue ${queue} (${because}); try again later`,
        refusal,
      );
    case 'broker-alarm':
      return new BrokerBlockedError(
        `the broker is in an alarm and takes nothing for queue ${queue} (${because})`,
        refusal,
      );
    case 'unroutable':
      return new UnroutableError(
        `queue ${queue} does not exist on the broker; restart this process to create it`,
        refusal,
      );
    case 'too-large':
      return new MessageTooLargeError(`message for queue ${queue} is too large (${because})`, refusal);
    case 'unknown':
      return unknownError(refusal);
  }
}

function unknownError(refusal: Refusal): PublishRefusedError {
  const { queue, messageId, because } = refusal;
  const message = `message ${messageId} for queue ${queue} may be stored or not (${because}); send it again with the same id only`;
  return refusal.wasSilent
    ? new ConfirmTimeoutError(message, refusal)
    : new ConfirmLostError(message, refusal);
}
