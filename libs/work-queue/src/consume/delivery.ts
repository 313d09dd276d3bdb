import type { ConsumeChannel, IncomingMessage } from '../broker/broker.port.js';

/** One delivered message and the only channel it can be settled on. Settled at most once. */
export class Delivery {
  private isSettled = false;

  constructor(
    readonly message: IncomingMessage,
    private readonly channel: ConsumeChannel,
    /** Aborts when there is no point in beginning anything more for it: we stop, or its channel is gone. */
    readonly ending: AbortSignal,
  ) {}

  /** False when the channel died first (the broker delivers it again) or it was settled before. */
  ack(): boolean {
    return this.settleWith((tag) => this.channel.ack(tag));
  }

  /** Back to the queue without blame. False as for `ack`. */
  giveBack(): boolean {
    return this.settleWith((tag) => this.channel.giveBack(tag));
  }

  private settleWith(send: (deliveryTag: number) => boolean): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    return send(this.message.deliveryTag);
  }
}
