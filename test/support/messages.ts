import { connect } from 'amqplib';

export interface TakenMessage {
  readonly payload: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly isRedelivered: boolean;
}

/** Takes every ready message out of a queue, oldest first. */
export async function takeAll(url: string, queue: string): Promise<TakenMessage[]> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    const taken: TakenMessage[] = [];
    for (;;) {
      const message = await channel.get(queue, { noAck: true });
      if (!message) return taken;
      const { headers = {} } = message.properties;
      taken.push({
        payload: JSON.parse(message.content.toString()),
        headers,
        isRedelivered: message.fields.redelivered,
      });
    }
  } finally {
    await connection.close();
  }
}

/** Publishes as a stranger does: no id, no headers of ours, any bytes. Confirmed. */
export async function putBytes(url: string, queue: string, body: string): Promise<void> {
  const connection = await connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    channel.sendToQueue(queue, Buffer.from(body));
    await channel.waitForConfirms();
  } finally {
    await connection.close();
  }
}
