import type { BrokerConnection, ConfirmAnswer, PublishChannel } from '../broker/broker.port.js';
import { withinDeadline } from '../timing/within-deadline.js';

export interface StreamAppend {
  readonly stream: string;
  readonly body: Buffer;
  readonly messageId: string;
  /** Gives up waiting for the answer. */
  readonly signal: AbortSignal;
  /** How long a channel may take, and the answer after it, milliseconds. */
  readonly timeoutMs: number;
}

/** `unsent`: no channel to send it on. `silent`: sent, and no answer by the deadline, so it may be stored or not. */
export type AppendAnswer = ConfirmAnswer | 'unsent' | 'silent';

/** Appends on a channel of its own; changes of a plan are rare. Never rejects. */
export async function appendToStream(
  connection: BrokerConnection,
  append: StreamAppend,
): Promise<AppendAnswer> {
  const { signal, timeoutMs } = append;
  const opening = connection.openPublishChannel().catch(() => undefined);
  const channel = await withinDeadline(opening, timeoutMs, undefined);
  if (!channel || signal.aborted) {
    void opening.then((late) => late?.close());
    return 'unsent';
  }
  const close = (): void => void channel.close();
  signal.addEventListener('abort', close, { once: true });
  try {
    return await withinDeadline<AppendAnswer>(publish(channel, append), timeoutMs, 'silent');
  } finally {
    signal.removeEventListener('abort', close);
    close();
  }
}

function publish(channel: PublishChannel, { stream, body, messageId }: StreamAppend): Promise<ConfirmAnswer> {
  const message = { queue: stream, body, messageId, contentType: 'application/json', headers: {} };
  return new Promise((answered) => channel.publish(message, { messageId, answered }));
}
