import { type ConfirmChannel, IllegalOperationError } from 'amqplib';
import type { ConfirmAnswer, OutgoingMessage, PublishChannel } from '../broker.port.js';
import { closed, whenClosed } from './channel-end.js';

/** Correlates a returned message with its publish; message ids may repeat, this never does on a channel. */
const PUBLISH_ID_HEADER = 'x-publish-id';

/** The text of the error with which the client library reports a basic.nack; anything else means no answer. */
const NACKED = 'message nacked';

/** A confirm channel: every publish gets an answer, or is lost with the channel. */
export class AmqpPublishChannel implements PublishChannel {
  readonly closed: Promise<string>;
  private open = true;
  private publishCount = 0;
  private readonly returnedIds = new Set<string>();

  constructor(
    private readonly channel: ConfirmChannel,
    connectionEnded: Promise<string>,
  ) {
    this.closed = whenClosed(channel, connectionEnded, () => (this.open = false));
    channel.on('return', (message) =>
      this.returnedIds.add(String(message.properties.headers?.[PUBLISH_ID_HEADER])),
    );
  }

  get isOpen(): boolean {
    return this.open;
  }

  publish(message: OutgoingMessage): Promise<ConfirmAnswer> {
    if (!this.open) return Promise.resolve('lost');
    const publishId = String(++this.publishCount);
    let onConfirm: (error: Error | null) => void = () => undefined;
    const answer = new Promise<ConfirmAnswer>((resolve) => {
      onConfirm = (error) => resolve(this.toAnswer(publishId, error));
    });
    const headers = { ...message.headers, [PUBLISH_ID_HEADER]: publishId };
    const { messageId, contentType } = message;
    const options = { mandatory: true, persistent: true, messageId, contentType, headers };
    try {
      this.channel.publish('', message.queue, message.body, options, onConfirm);
      return answer;
    } catch (error) {
      // A channel that has just closed; nothing was written. Any other error is a message that AMQP cannot carry.
      if (error instanceof IllegalOperationError) return Promise.resolve('lost');
      throw error;
    }
  }

  async close(): Promise<void> {
    await closed(this.channel.close(), this.closed);
  }

  /** A return comes before its ack, so by now it is known. */
  private toAnswer(publishId: string, error: Error | null): ConfirmAnswer {
    const wasReturned = this.returnedIds.delete(publishId);
    if (error) return error.message === NACKED ? 'nacked' : 'lost';
    return wasReturned ? 'returned' : 'acked';
  }
}
