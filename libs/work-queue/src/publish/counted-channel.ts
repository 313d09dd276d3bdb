import type { ConfirmAnswer, OutgoingMessage, PublishChannel } from '../broker/broker.port.js';

/** A publish channel that, once retired, closes itself when nothing on it is expected any more. */
export class CountedChannel {
  private expected = 0;
  private isRetired = false;

  constructor(private readonly channel: PublishChannel) {}

  get isOpen(): boolean {
    return this.channel.isOpen;
  }

  get closed(): Promise<string> {
    return this.channel.closed;
  }

  /** @throws as `PublishChannel.publish` does */
  publish(message: OutgoingMessage, onAnswer: (answer: ConfirmAnswer) => void): void {
    this.expected++;
    try {
      this.channel.publish(message, (answer) => {
        this.arrived();
        onAnswer(answer);
      });
    } catch (error) {
      this.arrived();
      throw error;
    }
  }

  /** A reply is expected here until the promise resolves; its address dies with the channel. */
  keepUntil(over: Promise<unknown>): void {
    this.expected++;
    void over.finally(() => this.arrived());
  }

  /** Nothing more will be published here. */
  retire(): void {
    this.isRetired = true;
    this.closeIfIdle();
  }

  async close(): Promise<void> {
    await this.channel.close();
  }

  private arrived(): void {
    this.expected--;
    this.closeIfIdle();
  }

  private closeIfIdle(): void {
    if (this.isRetired && this.expected === 0 && this.isOpen) void this.channel.close();
  }
}
