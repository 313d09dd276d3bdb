import { ConfigurationError } from '../errors/configuration.error.js';
import { decodePolicies, decodeQueue } from './management-decode.js';
import {
  isRefusedRight,
  type ManagementAnswer,
  type ManagementCall,
  notJson,
  refused,
  unexpectedShape,
  unreachable,
} from './management-failure.js';
import type { Policy } from './policy.js';
import type { QueueDescription } from './queue-arguments.js';

export interface ManagementApiOptions {
  /** `http://user:password@host:15672/prefix`; credentials and prefix may be left out. */
  readonly url: string;
  /** Used when the URL carries no credentials. */
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
  /** How long one request may take, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 5000;

/** What setting up queues needs of the management API. Every failure is a ManagementError that says what to do. */
export type Management = Pick<
  ManagementApi,
  'getQueue' | 'listPolicies' | 'listOperatorPolicies' | 'putPolicy'
>;

/** Client of RabbitMQ's management HTTP API, for one vhost. Reading needs the user tag `management`. */
export class ManagementApi {
  /** Without credentials: the form for messages and logs. */
  readonly safeUrl: string;
  private readonly username: string;
  private readonly authorization: string;
  private readonly vhost: string;
  private readonly timeoutMs: number;

  /** @throws ConfigurationError when the URL is not one of a management API. */
  constructor(options: ManagementApiOptions) {
    const url = parseUrl(options.url);
    const hasCredentials = url.username !== '';
    this.username = hasCredentials ? unescapePercent(url.username) : options.username;
    const password = hasCredentials ? unescapePercent(url.password) : options.password;
    // fetch refuses credentials in a URL.
    this.authorization = `Basic ${Buffer.from(`${this.username}:${password}`).toString('base64')}`;
    this.safeUrl = `${url.origin}${url.pathname.replace(/\/+(api\/*)?$/, '')}`;
    this.vhost = options.vhost;
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /** Undefined when there is no such queue, and when there is no such vhost: the API does not tell them apart. */
  async getQueue(name: string): Promise<QueueDescription | undefined> {
    const call = this.call(`read queue "${name}"`);
    const answer = await this.send(call, this.path('queues', name));
    if (answer.status === 404) return undefined;
    return decodeQueue(accepted(call, answer)) ?? fail(unexpectedShape(call, 'a queue'));
  }

  async listPolicies(): Promise<Policy[]> {
    const call = this.call('list policies');
    const answer = await this.send(call, this.path('policies'));
    return decodePolicies(accepted(call, answer)) ?? fail(unexpectedShape(call, 'a list of policies'));
  }

  /**
   * Undefined when this user may not list them. RabbitMQ itself (3.10.8, 4.0.5, 4.3.6) shows the list to every user
   * that may list policies, but a proxy in front of it may not.
   */
  async listOperatorPolicies(): Promise<Policy[] | undefined> {
    const call = this.call('list operator policies');
    const answer = await this.send(call, this.path('operator-policies'));
    if (isRefusedRight(answer)) return undefined;
    return (
      decodePolicies(accepted(call, answer)) ?? fail(unexpectedShape(call, 'a list of operator policies'))
    );
  }

  /** Creates or replaces. Needs the tag `policymaker`; permissions in the vhost may be empty ones. */
  async putPolicy(policy: Policy): Promise<void> {
    const { name, pattern, priority, definition } = policy;
    const call = this.call(`set policy "${name}"`);
    const body = JSON.stringify({ pattern, priority, definition, 'apply-to': policy.applyTo });
    accepted(call, await this.send(call, this.path('policies', name), { method: 'PUT', body }));
  }

  /** Whether a memory or disk alarm is on: a connection that has not published yet is not told. */
  async hasAlarm(): Promise<boolean> {
    const { status } = await this.send(this.call('check alarms'), `${this.safeUrl}/api/health/checks/alarms`);
    // 200: none. 503: there is one. Anything else, such as a refused right, tells nothing.
    return status === 503;
  }

  private call(action: string): ManagementCall {
    return { url: this.safeUrl, username: this.username, vhost: this.vhost, action };
  }

  private path(...parts: [resource: string, name?: string]): string {
    const [resource, name] = parts;
    const scope = `${this.safeUrl}/api/${resource}/${encodeURIComponent(this.vhost)}`;
    return name === undefined ? scope : `${scope}/${encodeURIComponent(name)}`;
  }

  private async send(
    call: ManagementCall,
    url: string,
    request: RequestInit = {},
  ): Promise<ManagementAnswer> {
    const { status, text } = await this.fetchText(url, request).catch((error: unknown) =>
      fail(unreachable(call, error)),
    );
    if (text === '' && status < 300) return { status, body: undefined };
    try {
      return { status, body: JSON.parse(text) };
    } catch {
      return fail(notJson(call, status));
    }
  }

  private async fetchText(url: string, request: RequestInit): Promise<{ status: number; text: string }> {
    const response = await fetch(url, {
      ...request,
      headers: { authorization: this.authorization, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(this.timeoutMs),
    });
    return { status: response.status, text: await response.text() };
  }
}

function accepted(call: ManagementCall, answer: ManagementAnswer): unknown {
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  return fail(refused(call, answer));
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new ConfigurationError(
    `expected the management URL to be like http://user:password@127.0.0.1:15672, got: ${text.replace(/^(.*\/\/)?.*@/, '$1***@')}`,
  );
}

/** A lone % is taken as it stands. */
function unescapePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function fail(error: Error): never {
  throw error;
}
