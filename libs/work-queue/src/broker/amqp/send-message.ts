import type { ConfirmChannel } from 'amqplib';
import type { OutgoingMessage } from '../broker.port.js';

type Headers = OutgoingMessage['headers'];

/** Writes one message to the default exchange. @throws as `PublishChannel.publish`, and when the channel is closed */
export type SendMessage = (message: OutgoingMessage, headers: Headers) => void;

interface InnerChannel {
  sendMessage(fields: object, properties: object, content: Buffer): unknown;
}

/** AMQP's number for messages that outlive a restart of the broker. */
const PERSISTENT = 2;

/**
 * The client library's confirm channel keeps a list of callbacks that stops shrinking once acks came out of order and
 * together, and its publish makes the headers of each message the prototype of another object, which costs as much as
 * the rest of it. Below lies a send with neither. Should a later version be built in another way, its own publish is
 * used, with the list and the listeners that empty it.
 */
export function sendMessageOn(channel: ConfirmChannel): SendMessage {
  if (!isInnerChannel(channel)) return (message, headers) => publish(channel, message, headers);
  channel.removeAllListeners('ack');
  channel.removeAllListeners('nack');
  return (message, headers) => {
    const mandatory = message.isMandatory ?? true;
    const fields = {
      exchange: '',
      routingKey: message.queue,
      mandatory,
      immediate: false,
      ticket: undefined,
    };
    channel.sendMessage(fields, propertiesOf(message, headers), message.body);
  };
}

function propertiesOf(message: OutgoingMessage, headers: Headers): object {
  const { contentType, contentEncoding, correlationId, replyTo, expirationMs, messageId } = message;
  const expiration = expirationMs === undefined ? undefined : String(expirationMs);
  return {
    contentType,
    contentEncoding,
    headers,
    deliveryMode: PERSISTENT,
    correlationId,
    replyTo,
    expiration,
    messageId,
  };
}

function publish(channel: ConfirmChannel, message: OutgoingMessage, headers: Headers): void {
  const { contentType, contentEncoding, correlationId, replyTo, expirationMs, messageId, isMandatory } =
    message;
  channel.publish('', message.queue, message.body, {
    mandatory: isMandatory ?? true,
    persistent: true,
    contentType,
    contentEncoding,
    correlationId,
    replyTo,
    expiration: expirationMs,
    messageId,
    headers,
  });
}

function isInnerChannel(channel: object): channel is InnerChannel {
  return typeof Reflect.get(channel, 'sendMessage') === 'function';
}
