import { connect } from 'amqplib';

const AT_ONCE = 50;

/** Takes every ready message out of a queue and gives their ids, oldest first. */
export async function drainIds(url: string, queue: string): Promise<string[]> {
  const connection = await connect(url);
  try {
    const channel = await connection.createChannel();
    const ids: string[] = [];
    for (;;) {
      const gets = Array.from({ length: AT_ONCE }, () => channel.get(queue, { noAck: true }));
      const messages = (await Promise.all(gets)).filter((message) => message !== false);
      ids.push(...messages.map(({ properties }) => String(properties.messageId)));
      if (messages.length < AT_ONCE) return ids;
    }
  } finally {
    await connection.close();
  }
}
