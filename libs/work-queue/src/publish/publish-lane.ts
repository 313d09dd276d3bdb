import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerConnection, PublishChannel, PublishChannelOptions } from '../broker/broker.port.js';

const REOPEN_DELAY_MS = 200;

/** Keeps one publish channel open, whatever happens to it or to its connection, until closed. */
export class PublishLane {
  private current: PublishChannel | undefined;
  /** Every publish asks; the signal itself takes longer to answer than the rest of the question. */
  private isStopped = false;
  private readonly closing = new AbortController();
  /** What has to be over before a channel may close, beside its confirms. */
  private readonly expected = new Map<PublishChannel, Set<Promise<unknown>>>();

  constructor(
    private readonly connection: BrokerConnection,
    private readonly channelOptions: PublishChannelOptions = {},
    /** The channel is gone, and with it the replies that were to come to it. */
    private readonly onLost: (channel: PublishChannel) => void = () => undefined,
  ) {}

  /** The channel to publish on now; undefined while there is none. */
  get channel(): PublishChannel | undefined {
    return this.current?.isOpen && !this.isStopped ? this.current : undefined;
  }

  get isClosing(): boolean {
    return this.isStopped;
  }

  async open(): Promise<void> {
    this.adopt(await this.connection.openPublishChannel(this.channelOptions));
  }

  /**
   * Goes on with a new channel; the old one closes after its last confirm. A full quorum queue refuses channel by
   * channel: one that was refused stays so until 80 % of the limit (on 3.10 for ever, if the policy is deleted
   * meanwhile), a new one is measured against the limit itself.
   */
  async renew(): Promise<void> {
    await this.open();
  }

  /** A reply is expected on this channel until the promise resolves; its address dies with the channel. */
  keep(channel: PublishChannel, over: Promise<unknown>): void {
    const expected = this.expected.get(channel) ?? new Set();
    this.expected.set(channel, expected.add(over));
    void over.finally(() => expected.delete(over));
  }

  /** No new publishes from now on. */
  stop(): void {
    this.isStopped = true;
    this.closing.abort();
  }

  async close(): Promise<void> {
    this.stop();
    if (this.current?.isOpen && this.connection.state.kind === 'open') await this.current.close();
  }

  private adopt(channel: PublishChannel): void {
    if (this.current?.isOpen) void this.retire(this.current);
    this.current = channel;
    void channel.closed.then(() => {
      this.expected.delete(channel);
      this.onLost(channel);
      if (this.current === channel) void this.reopen();
    });
    if (this.isStopped) void this.retire(channel);
  }

  private async retire(channel: PublishChannel): Promise<void> {
    await channel.idle();
    const expected = this.expected.get(channel);
    if (expected) await Promise.all(expected);
    if (channel.isOpen) await channel.close();
  }

  private async reopen(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        await this.connection.whenOpen(signal);
        return await this.open();
      } catch {
        // The connection went away again, or we are closing; the loop looks once more.
        await delay(REOPEN_DELAY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
