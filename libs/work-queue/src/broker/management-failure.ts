import { ManagementError } from '../errors/management.error.js';

/** What was asked of the management API, and as whom. `url` has no password in it. */
export interface ManagementCall {
  readonly url: string;
  readonly username: string;
  readonly vhost: string;
  /** Completes "user X may not ...". */
  readonly action: string;
}

export interface ManagementAnswer {
  readonly status: number;
  readonly body: unknown;
}

const NO_API =
  'If this broker has no management API, enable it (rabbitmq-plugins enable rabbitmq_management) or choose limits: arguments.';

export function unreachable(call: ManagementCall, error: unknown): ManagementError {
  const code = reasonOf(error);
  const advice = code.startsWith('HPE_')
    ? 'Something answers there, but not with HTTP; this may be the AMQP port. The management API listens on 15672 unless configured otherwise.'
    : `Check host, port and scheme of the management URL and that the broker is up. ${NO_API}`;
  return new ManagementError(`The management API at ${call.url} did not answer (${code}). ${advice}`, {
    cause: error,
  });
}

/** A proxy, another server or a page in place of RabbitMQ's JSON. */
export function notJson(call: ManagementCall, status: number): ManagementError {
  return new ManagementError(
    `Something at ${call.url} answered with status ${status}, but not with the JSON of RabbitMQ's management API. ` +
      'Another server may listen on that port, or the path prefix of the URL is missing or wrong.',
  );
}

export function unexpectedShape(call: ManagementCall, expected: string): ManagementError {
  return new ManagementError(
    `The management API at ${call.url} answered with JSON that is not ${expected}. ` +
      'Check that the URL is that of a RabbitMQ of version 3.10 or later, with its path prefix if it has one.',
  );
}

/** An answer of RabbitMQ that is not a success. All versions answer 401 for missing rights too, never 403. */
export function refused(call: ManagementCall, answer: ManagementAnswer): ManagementError {
  const reason = brokerReason(answer.body);
  if (isRefusedRight(answer)) return new ManagementError(missingRight(call, reason));
  if (answer.status === 401) return new ManagementError(wrongLogin(call, reason));
  if (answer.status === 404) return new ManagementError(missingVhost(call));
  return new ManagementError(
    `The management API at ${call.url} could not ${call.action}: status ${answer.status}, ${reason}`,
  );
}

/** The login was right, the right is missing: told apart by the spelling of the code, the same from 3.10 to 4.3. */
export function isRefusedRight(answer: ManagementAnswer): boolean {
  return answer.status === 403 || (answer.status === 401 && field(answer.body, 'error') === 'not_authorised');
}

function wrongLogin(call: ManagementCall, reason: string): string {
  return (
    `The management API at ${call.url} does not know user "${call.username}" with this password (${reason}). ` +
    'Check the credentials in the management URL; without any there, those of the AMQP URL are used.'
  );
}

function missingRight(call: ManagementCall, reason: string): string {
  const { username, vhost } = call;
  return `User "${username}" may not ${call.action} in vhost "${vhost}" (${reason}). ${rightAdvice(call, reason)}`;
}

function rightAdvice({ username, vhost }: ManagementCall, reason: string): string {
  if (reason.includes('localhost'))
    return 'Use another user than guest, which may log in from the broker host only.';
  if (reason.includes('virtual host')) {
    return `Give it access (rabbitmqctl set_permissions -p "${vhost}" "${username}" ".*" ".*" ".*").`;
  }
  return (
    `Reading queues and policies needs the tag management, setting policies the tag policymaker ` +
    `(rabbitmqctl set_user_tags "${username}" policymaker), and both need permissions in the vhost.`
  );
}

function missingVhost({ vhost, url }: ManagementCall): string {
  return (
    `Vhost "${vhost}" does not exist on the broker at ${url}. ` +
    `Create it (rabbitmqctl add_vhost "${vhost}") or correct the vhost at the end of the AMQP URL.`
  );
}

function brokerReason(body: unknown): string {
  return `"${(field(body, 'reason') ?? 'no reason given').trim()}"`;
}

/** `fetch failed` says nothing; the code sits in its cause. */
function reasonOf(error: unknown): string {
  if (field(error, 'name') === 'TimeoutError') return 'timed out';
  const cause = property(error, 'cause') ?? error;
  return field(cause, 'code') ?? field(cause, 'message') ?? String(error);
}

function field(value: unknown, name: string): string | undefined {
  const found = property(value, name);
  return typeof found === 'string' ? found : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
