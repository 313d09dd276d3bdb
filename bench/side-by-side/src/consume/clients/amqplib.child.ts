import { serveConsumer } from '../serve-consumer.js';
import { consumeWithAmqplib } from './consume-with-amqplib.js';

/** An ack for each message, each a write to the socket of its own. */
serveConsumer((target, handled) =>
  consumeWithAmqplib(target, (channel) => ({
    received: (message) => {
      JSON.parse(message.content.toString());
      handled();
      channel.ack(message);
    },
    finish: () => undefined,
  })),
);
