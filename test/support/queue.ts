import { connect } from 'amqplib';

/** Ready messages of a queue, exact and current; undefined when there is no such queue. */
export async function readyMessages(url: string, queue: string): Promise<number | undefined> {
  const connection = await connect(url);
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    return (await channel.checkQueue(queue)).messageCount;
  } catch {
    return undefined;
  } finally {
    await connection.close();
  }
}
