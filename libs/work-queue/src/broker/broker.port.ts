/**
 * What the framework needs of a broker, and nothing more. One adapter implements it over AMQP 0-9-1;
 * no other file knows the client library.
 */

/** A message on its way out. Always persistent, through the default exchange. */
export interface OutgoingMessage {
  readonly queue: string;
  readonly body: Buffer;
  readonly messageId: string;
  /** No other message has this id, so nothing else is needed to tell it apart. @default false */
  readonly hasUniqueId?: boolean;
  /** Undefined only for a dead letter whose original had none. */
  readonly contentType: string | undefined;
  /** Only on a copy of a message that came with one. */
  readonly contentEncoding?: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Where the worker's reply goes; `DIRECT_REPLY_TO` on a channel that was opened for replies. */
  readonly replyTo?: string;
  /** Comes back with the reply. */
  readonly correlationId?: string;
  /** Time to live in the queue, milliseconds; afterwards the broker dead-letters it, once it is at the head. */
  readonly expirationMs?: number;
  /** False for replies only: nobody may be waiting any more, and that is nobody's error. @default true */
  readonly isMandatory?: boolean;
}

/** The broker's pseudo-queue for replies; it becomes an address of its own, starting with it, in each delivery. */
export const DIRECT_REPLY_TO = 'amq.rabbitmq.reply-to';

/** The answer of a worker to one caller. */
export interface IncomingReply {
  readonly correlationId: string | undefined;
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
}

/**
 * What became of one publish:
 * `acked` stored by the broker, `nacked` refused by it, `returned` no such queue,
 * `lost` the channel went away before any answer, so nobody knows.
 */
export type ConfirmAnswer = 'acked' | 'nacked' | 'returned' | 'lost';

/** Who waits for the answer to one publish; an object rather than a function each, since there are many. */
export interface PendingPublish {
  readonly messageId: string;
  /** Called once; not before the broker gives an answer, which may be never while the channel is open. */
  answered(answer: ConfirmAnswer): void;
}

export interface PublishChannelOptions {
  /** Makes it a channel whose messages may ask for replies to `DIRECT_REPLY_TO`; they come here. */
  readonly onReply?: (reply: IncomingReply) => void;
}

export interface PublishChannel {
  readonly isOpen: boolean;
  /** Resolves with the reason once the channel is closed, by whoever. Never rejects. */
  readonly closed: Promise<string>;
  /** @throws when AMQP cannot carry the message (a header of an unknown type, headers over 64 KiB); nothing was sent */
  publish(message: OutgoingMessage, pending: PendingPublish): void;
  /** Resolves when every publish on it is answered. Never rejects. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/** A message as it was delivered. `deliveryTag` is only valid on the channel that delivered it. */
export interface IncomingMessage {
  readonly deliveryTag: number;
  readonly isRedelivered: boolean;
  readonly body: Buffer;
  readonly messageId: string | undefined;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly replyTo: string | undefined;
  readonly correlationId: string | undefined;
}

/** Where a consumer begins to read a stream. `last` is the last chunk: one entry, or several that were stored together. */
export type StreamOffset = 'first' | 'last' | 'next' | number;

/** The consume argument that says where to begin, and the header of each delivery that says where it stands. */
export const STREAM_OFFSET = 'x-stream-offset';

export interface ConsumeRequest {
  readonly queue: string;
  /**
   * For a stream only, and needed there: without it a reader begins with what comes next. A number that retention has
   * removed begins at the first entry left; one beyond the end skips every entry below it that comes later.
   */
  readonly streamOffset?: StreamOffset;
  /** Deliveries the broker may have out on this consumer, 1..65535. */
  readonly prefetch: number;
  /** Must be new on every consume: a tag used before breaks the broker's bookkeeping of credits. */
  readonly consumerTag: string;
  /** Must not throw: the delivery would stay unsettled until the channel closes. All that comes of it is a warning. */
  onMessage(message: IncomingMessage): void;
  /**
   * The broker ended the consumer (queue deleted, leader moved, delivery timeout). What is out may still be settled,
   * but the broker may already have given it to another, and deliver more to nobody: close the channel soon.
   */
  onCancelled(): void;
}

export interface ConsumeChannel {
  readonly isOpen: boolean;
  /** Resolves with the reason once the channel is closed, by whoever. Never rejects. */
  readonly closed: Promise<string>;
  /**
   * How many acks were promised and never written when the channel went away: so many deliveries come again though
   * their work is done. What was written last may be lost on its way too, and nobody can tell. 0 while open.
   */
  readonly unwrittenAcks: number;
  consume(request: ConsumeRequest): Promise<void>;
  cancel(consumerTag: string): Promise<void>;
  /**
   * Written at the end of this turn of the event loop, with all others of it.
   * @returns false, and does nothing, when the channel is closing or gone, or the delivery is settled already
   */
  ack(deliveryTag: number): boolean;
  /** Back to its place in the queue, at once. @returns as `ack` */
  giveBack(deliveryTag: number): boolean;
  /** Writes what is still unwritten first; from the call on nothing can be settled. */
  close(): Promise<void>;
}

/** What a passive declare tells: ready messages and consumers, exact and current. */
export interface QueueReading {
  readonly readyMessages: number;
  readonly consumers: number;
}

export type QueueArguments = Readonly<Record<string, string | number | boolean>>;

/** One connection that is kept alive until closed. Channels die with it and are opened anew by their owners. */
export interface BrokerConnection {
  readonly state: ConnectionState;
  /** First connect. Rejects when it cannot succeed (credentials, vhost) or has not by the start deadline. */
  open(): Promise<void>;
  /** Resolves when the connection is (again) open; rejects when the signal aborts or the connection closes for good. */
  whenOpen(signal?: AbortSignal): Promise<void>;
  /** Called after every change of `state`. @returns how to stop it */
  onStateChange(listener: (state: ConnectionState) => void): () => void;
  openPublishChannel(options?: PublishChannelOptions): Promise<PublishChannel>;
  openConsumeChannel(): Promise<ConsumeChannel>;
  /** Creates a durable queue, or does nothing when it exists with exactly these arguments. */
  declareQueue(name: string, queueArguments: QueueArguments): Promise<void>;
  /** Passive declare; undefined when there is no such queue. */
  inspectQueue(name: string): Promise<QueueReading | undefined>;
  close(): Promise<void>;
}

/**
 * idle -> connecting -> open <-> blocked -> waiting -> connecting ... ; any -> closed.
 * `blocked`: the broker is in a memory or disk alarm and reads nothing from this connection.
 */
export type ConnectionState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly attempt: number }
  | { readonly kind: 'open' }
  | { readonly kind: 'blocked'; readonly reason: string }
  | {
      readonly kind: 'waiting';
      readonly attempt: number;
      readonly retryInMs: number;
      readonly reason: string;
    }
  | { readonly kind: 'closed' };
