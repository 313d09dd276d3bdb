const TIMEOUT_MS = 30_000;

type Method = 'GET' | 'PUT' | 'DELETE';

/** RabbitMQ's management API. */
export class Management {
  private readonly authorization: string;

  /** @param url with user and password; guest by default */
  constructor(private readonly url: URL) {
    const user = decodeURIComponent(url.username) || 'guest';
    const password = decodeURIComponent(url.password) || 'guest';
    this.authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }

  /** @returns the decoded answer, undefined when there is none */
  async request(method: Method, path: string, body?: unknown): Promise<unknown> {
    const { origin, pathname } = this.url;
    const response = await fetch(`${origin}${pathname.replace(/\/$/, '')}/api/${path}`, {
      method,
      headers: { authorization: this.authorization, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`RabbitMQ: ${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
