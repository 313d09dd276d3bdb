import { DIRECT_REPLY_TO, type IncomingMessage, type OutgoingMessage } from '../broker/broker.port.js';
import { describeThrown } from '../errors/describe-thrown.js';
import { HEADERS } from '../message/headers.js';
import { jsonCodec } from '../message/json.codec.js';
import type { JobEnd, Telemetry } from '../telemetry/telemetry.js';
import type { SettleOutcome } from './settler.js';

/**
 * Publishes a reply, and rejects when that cannot be done. Nobody waits for it, so it must bound by itself how many
 * are under way and for how long. It needs a connection of its own: RabbitMQ closes the connection over which a reply
 * goes to an address it cannot read, such as a forged one or (3.10.8) one of a node it does not know.
 */
export type ReplyPublish = (message: OutgoingMessage) => Promise<void>;

/** A delivery after settling. */
export interface SettledDelivery {
  readonly message: IncomingMessage;
  readonly messageId: string;
  readonly outcome: SettleOutcome;
  readonly end: JobEnd;
}

type Content = Pick<OutgoingMessage, 'body' | 'contentType' | 'headers'>;

/** What the address of every waiting caller starts with. No queue can have such a name. */
const CALLER = `${DIRECT_REPLY_TO}.`;

/**
 * Tells a caller that waits how its work ended, after it was settled: the result, or why it was dead-lettered. What
 * the broker will deliver again is answered when that ends. Any other `replyTo` is ignored, so that no publisher can
 * make a worker write into a queue of its choice.
 *
 * A reply is a courtesy: it never delays or changes settling, and one that cannot be sent is only told.
 */
export class Replier {
  constructor(
    private readonly queue: string,
    private readonly publishReply: ReplyPublish,
    private readonly telemetry: Telemetry,
  ) {}

  reply(delivery: SettledDelivery): void {
    const { replyTo, correlationId } = delivery.message;
    if (!replyTo?.startsWith(CALLER) || correlationId === undefined) return;
    void this.send(delivery, { queue: replyTo, correlationId });
  }

  private async send(
    delivery: SettledDelivery,
    address: Pick<OutgoingMessage, 'queue' | 'correlationId'>,
  ): Promise<void> {
    const { messageId } = delivery;
    try {
      const content = contentOf(delivery);
      if (content) await this.publishReply({ ...address, messageId, ...content, isMandatory: false });
    } catch (error) {
      this.telemetry.emit('reply.lost', { queue: this.queue, messageId, reason: describeThrown(error) });
    }
  }
}

function contentOf({ outcome, end }: SettledDelivery): Content | undefined {
  if (end === 'returned' || end === 'lost') return undefined;
  switch (outcome.kind) {
    case 'succeeded':
      return resultContent(outcome.result);
    case 'dropped':
      return resultContent(undefined);
    case 'dead':
      return failureContent(outcome.reason, outcome.error);
    case 'retry':
    case 'defer':
    case 'set-aside':
    case 'returned':
      return undefined;
  }
}

/** The work is done, whatever becomes of its result. */
function resultContent(result: unknown): Content {
  if (result === undefined) return { body: Buffer.alloc(0), contentType: undefined, headers: {} };
  try {
    return encode(result);
  } catch (error) {
    return failureContent('unserialisable', error);
  }
}

/** The error's class only: its message may hold what a caller must not see. */
function failureContent(reason: string, error: unknown): Content {
  const name = error instanceof Error ? error.name : typeof error;
  return { ...encode({ error: name }), headers: { [HEADERS.replyFailed]: reason } };
}

function encode(payload: unknown): Content {
  const { body, contentType } = jsonCodec.encode(payload);
  return { body: Buffer.from(body.buffer, body.byteOffset, body.byteLength), contentType, headers: {} };
}
