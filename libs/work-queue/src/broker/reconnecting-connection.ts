import { setTimeout as delay } from 'node:timers/promises';
import { ConnectError } from '../errors/connect.error.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import { AmqpConnection } from './amqp/amqp-connection.js';
import type {
  BrokerConnection,
  ConnectionState,
  ConsumeChannel,
  PublishChannel,
  PublishChannelOptions,
  QueueArguments,
  QueueReading,
} from './broker.port.js';
import type { BrokerUrl } from './broker-url.js';
import { isFinalConnectFailure, toConnectError } from './connect-failure.js';

export interface ReconnectingConnectionOptions {
  readonly url: BrokerUrl;
  /** Shown by the broker's own tools. */
  readonly name: string;
  /** How long the first connect may keep trying, in milliseconds. Afterwards a lost connection is retried for ever. */
  readonly startTimeoutMs: number;
  readonly telemetry: Telemetry;
  /** Jitter of the reconnect delay, [0, 1). */
  readonly random?: () => number;
}

const HEARTBEAT_SECONDS = 10;
const CONNECT_TIMEOUT_MS = 10_000;
const SHORTEST_ATTEMPT_MS = 100;
const BACKOFF_INITIAL_MS = 100;
const BACKOFF_MAX_MS = 5_000;

/**
 * Keeps one connection open until closed, with exponential backoff and full jitter. States and transitions are
 * those of `ConnectionState`. Nothing is buffered while it is away: whoever wants to publish asks `state` first.
 */
export class ReconnectingConnection implements BrokerConnection {
  private current: ConnectionState = { kind: 'idle' };
  private connection: AmqpConnection | undefined;
  private readonly waiters = new Set<() => void>();
  private readonly listeners = new Set<(state: ConnectionState) => void>();
  private readonly closing = new AbortController();
  private readonly random: () => number;

  constructor(private readonly options: ReconnectingConnectionOptions) {
    this.random = options.random ?? Math.random;
  }

  get state(): ConnectionState {
    return this.current;
  }

  async open(): Promise<void> {
    await this.connectUntil(Date.now() + this.options.startTimeoutMs, isFinalConnectFailure);
    if (this.closing.signal.aborted) throw new ConnectError('the connection was closed');
  }

  async whenOpen(signal?: AbortSignal): Promise<void> {
    while (!this.connection) {
      if (this.current.kind === 'closed') throw new ConnectError('the connection was closed');
      signal?.throwIfAborted();
      await this.nextChange(signal);
    }
  }

  onStateChange(listener: (state: ConnectionState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async openPublishChannel(options?: PublishChannelOptions): Promise<PublishChannel> {
    return this.established().openPublishChannel(options);
  }

  async openConsumeChannel(): Promise<ConsumeChannel> {
    return this.established().openConsumeChannel();
  }

  async declareQueue(name: string, queueArguments: QueueArguments): Promise<void> {
    await this.established().declareQueue(name, queueArguments);
  }

  async inspectQueue(name: string): Promise<QueueReading | undefined> {
    return this.established().inspectQueue(name);
  }

  async close(): Promise<void> {
    if (this.current.kind === 'closed') return;
    this.closing.abort();
    this.become({ kind: 'closed' });
    const connection = this.connection;
    this.connection = undefined;
    await connection?.close();
  }

  private established(): AmqpConnection {
    if (!this.connection)
      throw new ConnectError(`no connection to ${this.options.url.safeUrl} at the moment`);
    return this.connection;
  }

  /** Tries until connected or closed. @throws ConnectError at the deadline, and after a failure that is final */
  private async connectUntil(deadline: number, isFinal: (error: unknown) => boolean): Promise<void> {
    for (let attempt = 1; !this.closing.signal.aborted; attempt++) {
      this.become({ kind: 'connecting', attempt });
      try {
        this.adopt(await this.connect(Math.min(CONNECT_TIMEOUT_MS, deadline - Date.now())));
        return;
      } catch (error) {
        if (this.closing.signal.aborted) return;
        const failure = toConnectError(error, this.options.url);
        if (isFinal(error)) throw failure;
        await this.backOff(attempt, failure.message, deadline - Date.now());
        // What a last attempt of a few milliseconds would say hides the reason.
        if (deadline - Date.now() < SHORTEST_ATTEMPT_MS) throw failure;
      }
    }
  }

  private connect(connectTimeoutMs: number): Promise<AmqpConnection> {
    const { url, name } = this.options;
    const { signal } = this.closing;
    return AmqpConnection.open({ url, name, signal, connectTimeoutMs, heartbeatSeconds: HEARTBEAT_SECONDS });
  }

  private adopt(connection: AmqpConnection): void {
    if (this.closing.signal.aborted) {
      void connection.close();
      return;
    }
    this.connection = connection;
    connection.onBlocked((reason) => this.blockedChanged(reason));
    void connection.ended.then((reason) => this.lost(connection, reason));
    this.become({ kind: 'open' });
    this.options.telemetry.emit('connection.opened', { connection: this.options.name });
  }

  private lost(connection: AmqpConnection, reason: string): void {
    if (this.connection !== connection || this.closing.signal.aborted) return;
    this.connection = undefined;
    void this.reconnect(reason);
  }

  private async reconnect(reason: string): Promise<void> {
    await this.backOff(0, reason);
    await this.connectUntil(Infinity, () => false);
  }

  private async backOff(attempt: number, reason: string, atMostMs = Infinity): Promise<void> {
    const ceilingMs = Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** Math.min(attempt, 10));
    const retryInMs = Math.max(0, Math.min(Math.round(this.random() * ceilingMs), atMostMs));
    this.become({ kind: 'waiting', attempt, retryInMs, reason });
    this.options.telemetry.emit('connection.lost', {
      connection: this.options.name,
      reason,
      attempt,
      retryInMs,
    });
    await delay(retryInMs, undefined, { signal: this.closing.signal }).catch(() => undefined);
  }

  private blockedChanged(reason: string | undefined): void {
    if (!this.connection) return;
    const connection = this.options.name;
    this.become(reason === undefined ? { kind: 'open' } : { kind: 'blocked', reason });
    if (reason === undefined) this.options.telemetry.emit('connection.unblocked', { connection });
    else this.options.telemetry.emit('connection.blocked', { connection, reason });
  }

  private become(next: ConnectionState): void {
    if (this.current.kind === 'closed') return;
    this.current = next;
    const waiters = [...this.waiters];
    this.waiters.clear();
    for (const wake of waiters) wake();
    for (const listener of this.listeners) listener(next);
  }

  private nextChange(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.waiters.delete(wake);
        reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      };
      this.waiters.add(wake);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}
