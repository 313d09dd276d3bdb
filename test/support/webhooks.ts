import { randomUUID } from 'node:crypto';

export interface Answer {
  /** The delivery id: what was sent, and the key of its row. The body's `id` is the message's. */
  readonly id: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface Webhook {
  readonly id?: string;
  readonly event?: string;
  readonly body?: string;
  /** More headers, such as `prefer`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Posts one webhook as GitHub does. */
export async function postWebhook(gatewayUrl: string, webhook: Webhook = {}): Promise<Answer> {
  const id = webhook.id ?? randomUUID();
  const response = await fetch(`${gatewayUrl}/webhooks/github`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-event': webhook.event ?? 'ping',
      'x-github-delivery': id,
      ...webhook.headers,
    },
    body: webhook.body ?? '{"zen":"Keep it logically awesome."}',
    signal: webhook.signal,
  });
  return { id, status: response.status, headers: response.headers, body: await jsonOf(response) };
}

async function jsonOf(response: Response): Promise<Record<string, unknown>> {
  const value: unknown = await response.json();
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Posts until `count` answers are in, `atOnce` at a time. */
export async function postMany(gatewayUrl: string, count: number, atOnce: number): Promise<Answer[]> {
  const answers: Answer[] = [];
  let left = count;
  const lane = async (): Promise<void> => {
    while (left-- > 0) answers.push(await postWebhook(gatewayUrl));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return answers;
}

export function acceptedIds(answers: readonly Answer[]): string[] {
  return answers.filter((answer) => answer.status === 202).map((answer) => answer.id);
}

/** The message ids of what was answered 202, as workers know them. */
export function acceptedMessageIds(answers: readonly Answer[]): string[] {
  return answers.filter((answer) => answer.status === 202).map((answer) => String(answer.body.id));
}
