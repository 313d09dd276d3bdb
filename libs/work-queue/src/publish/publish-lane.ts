import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerConnection, PublishChannelOptions } from '../broker/broker.port.js';
import { CountedChannel } from './counted-channel.js';

const REOPEN_DELAY_MS = 200;

/** Keeps one publish channel open, whatever happens to it or to its connection, until closed. */
export class PublishLane {
  private current: CountedChannel | undefined;
  private readonly closing = new AbortController();

  constructor(
    private readonly connection: BrokerConnection,
    private readonly channelOptions: PublishChannelOptions = {},
    /** The channel is gone, and with it the replies that were to come to it. */
    private readonly onLost: (channel: CountedChannel) => void = () => undefined,
  ) {}

  /** The channel to publish on now; undefined while there is none. */
  get channel(): CountedChannel | undefined {
    return this.current?.isOpen && !this.closing.signal.aborted ? this.current : undefined;
  }

  get isClosing(): boolean {
    return this.closing.signal.aborted;
  }

  async open(): Promise<void> {
    this.adopt(new CountedChannel(await this.connection.openPublishChannel(this.channelOptions)));
  }

  /**
   * Goes on with a new channel; the old one closes after its last confirm. A full quorum queue refuses channel by
   * channel: one that was refused stays so until 80 % of the limit (on 3.10 for ever, if the policy is deleted
   * meanwhile), a new one is measured against the limit itself.
   */
  async renew(): Promise<void> {
    const channel = new CountedChannel(await this.connection.openPublishChannel(this.channelOptions));
    const old = this.current;
    this.adopt(channel);
    old?.retire();
  }

  /** No new publishes from now on. */
  stop(): void {
    this.closing.abort();
  }

  async close(): Promise<void> {
    this.stop();
    if (this.current?.isOpen && this.connection.state.kind === 'open') await this.current.close();
  }

  private adopt(channel: CountedChannel): void {
    this.current = channel;
    void channel.closed.then(() => {
      this.onLost(channel);
      if (this.current === channel) void this.reopen();
    });
    if (this.closing.signal.aborted) channel.retire();
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
