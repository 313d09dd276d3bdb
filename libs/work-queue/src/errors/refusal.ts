import { BrokerBlockedError } from './broker-blocked.error.js';
import { BrokerUnavailableError } from './broker-unavailable.error.js';
import { ConfirmLostError } from './confirm-lost.error.js';
import { ConfirmTimeoutError } from './confirm-timeout.error.js';
import { IdempotencyConflictError } from './idempotency-conflict.error.js';
import { InvalidMessageError } from './invalid-message.error.js';
import { MessageTooLargeError } from './message-too-large.error.js';
import { NoWorkersError } from './no-workers.error.js';
import type { PublishRefusedDetails, PublishRefusedError } from './publish-refused.error.js';
import { PublisherBusyError } from './publisher-busy.error.js';
import { QueueFullError } from './queue-full.error.js';
import { UnroutableError } from './unroutable.error.js';
import type { RefusalReason } from './work-queue.error.js';

/** Why one publish was refused, before it has become an error. */
export interface Refusal extends PublishRefusedDetails {
  readonly reason: RefusalReason;
  /** What the message cannot know by itself: a limit, a state, a size. */
  readonly because: string;
  readonly wasSilent?: boolean;
}

/** What an error of a refusal says, without the cost of an Error: a gateway refuses more often than it accepts. */
export interface RefusalNotice {
  readonly reason: RefusalReason;
  readonly code: string;
  readonly message: string;
  readonly queue: string;
  /** The id the message would have been published with. */
  readonly messageId: string;
  readonly retryAfterMs?: number;
}

type ErrorClass = new (message: string, details: PublishRefusedDetails) => PublishRefusedError;

/** The typed error of a refusal, with a message that says what happened and what to do next. */
export function toError(refusal: Refusal): PublishRefusedError {
  return new (classOf(refusal))(messageOf(refusal), refusal);
}

/** The same as plain data. */
export function toNotice(refusal: Refusal): RefusalNotice {
  const { reason, queue, messageId, retryAfterMs } = refusal;
  const code = CODES.get(classOf(refusal)) ?? reason;
  return { reason, code, message: messageOf(refusal), queue, messageId, retryAfterMs };
}

function classOf({ reason, wasSilent }: Refusal): ErrorClass {
  if (reason === 'unknown') return wasSilent ? ConfirmTimeoutError : ConfirmLostError;
  return CLASSES[reason];
}

const CLASSES: Record<Exclude<RefusalReason, 'unknown'>, ErrorClass> = {
  'queue-full': QueueFullError,
  'no-workers': NoWorkersError,
  'gateway-busy': PublisherBusyError,
  'broker-unavailable': BrokerUnavailableError,
  'broker-alarm': BrokerBlockedError,
  unroutable: UnroutableError,
  'too-large': MessageTooLargeError,
  'invalid-message': InvalidMessageError,
  conflict: IdempotencyConflictError,
};

/** The classes are where the codes stand. */
const CODES = new Map<ErrorClass, string>(
  [...Object.values(CLASSES), ConfirmTimeoutError, ConfirmLostError].map((type) => [
    type,
    new type('', { queue: '', messageId: '' }).code,
  ]),
);

function messageOf({ reason, queue, messageId, because }: Refusal): string {
  switch (reason) {
    case 'queue-full':
      return `queue ${queue} is full (${because}); try again later`;
    case 'no-workers':
      return `queue ${queue} is full and nobody works on it (${because}); try again later`;
    case 'gateway-busy':
      return `no slot in the confirm window of queue ${queue} (${because}); try again`;
    case 'broker-unavailable':
      return `the broker took nothing for queue ${queue} (${because}); try again later`;
    case 'broker-alarm':
      return `the broker is in an alarm and takes nothing for queue ${queue} (${because})`;
    case 'unroutable':
      return `queue ${queue} does not exist on the broker; restart this process to create it`;
    case 'too-large':
      return `message for queue ${queue} is too large (${because})`;
    case 'invalid-message':
      return `message ${messageId} for queue ${queue} cannot be sent: ${because}`;
    case 'conflict':
      return `message id ${messageId} was used for queue ${queue} with another payload; give other work another id`;
    case 'unknown':
      return `message ${messageId} for queue ${queue} may be stored or not (${because}); send it again with the same id only`;
  }
}
