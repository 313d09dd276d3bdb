import { serveConsumer } from '../serve-consumer.js';
import { type AmqplibChannel, type AmqplibMessage, consumeWithAmqplib } from './consume-with-amqplib.js';

/** One ack a turn of the loop for everything that came in it. Right only since handlers end in the order they began. */
class MultipleAcks {
  private last: AmqplibMessage | undefined;

  constructor(private readonly channel: AmqplibChannel) {}

  add(message: AmqplibMessage): void {
    if (!this.last) setImmediate(() => this.flush());
    this.last = message;
  }

  flush(): void {
    if (this.last) this.channel.ack(this.last, true);
    this.last = undefined;
  }
}

/** What there is to gain by hand, without a framework. */
serveConsumer((target, handled) =>
  consumeWithAmqplib(target, (channel) => {
    const acks = new MultipleAcks(channel);
    return {
      received: (message) => {
        JSON.parse(message.content.toString());
        handled();
        acks.add(message);
      },
      finish: () => acks.flush(),
    };
  }),
);
