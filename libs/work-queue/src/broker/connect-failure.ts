import { ConnectError } from '../errors/connect.error.js';
import type { BrokerUrl } from './broker-url.js';

const ACCESS_REFUSED = /ACCESS[-_]REFUSED/;
/** With the vhost refused the broker closes where the client library expects an open; it does not pass on why. */
const NOT_ALLOWED = /NOT[-_]ALLOWED|Expected ConnectionOpenOk; got <ConnectionClose/;

/** What OpenSSL says to a peer that answers in plain text. */
const NO_TLS = /wrong version number/;

/** Wrong credentials or vhost do not become right by waiting; a broker that is not up yet does. */
export function isFinalConnectFailure(error: unknown): boolean {
  const text = messageOf(error);
  return ACCESS_REFUSED.test(text) || NOT_ALLOWED.test(text) || NO_TLS.test(text);
}

/** The failure in words: what was tried, why it failed, what to do next. Never shows a password. */
export function toConnectError(error: unknown, url: BrokerUrl): ConnectError {
  return new ConnectError(describe(error, url), { cause: error });
}

function describe(error: unknown, url: BrokerUrl): string {
  const text = messageOf(error);
  if (NOT_ALLOWED.test(text)) {
    return `RabbitMQ at ${url.safeUrl} has no vhost ${JSON.stringify(url.vhost)}, user ${JSON.stringify(url.username)} has no permission on it, or its connection limit is reached. Create it or grant it (rabbitmqctl add_vhost, set_permissions), or correct the vhost in RABBITMQ_URL.`;
  }
  if (ACCESS_REFUSED.test(text)) {
    return `RabbitMQ at ${url.safeUrl} refuses user ${JSON.stringify(url.username)}: wrong user name or password (guest may connect from the broker's own machine only). Correct RABBITMQ_URL.`;
  }
  if (NO_TLS.test(text)) {
    return `the port of ${url.safeUrl} does not speak TLS. Write amqp:// instead of amqps://, or name the TLS port.`;
  }
  if (hasCode(error, 'ENOTFOUND')) {
    return `no host is called ${JSON.stringify(url.hostname)} (${url.safeUrl}). Correct RABBITMQ_URL.`;
  }
  if (hasCode(error, 'ECONNREFUSED')) {
    return `nothing listens at ${url.safeUrl}. Start RabbitMQ there (npm run broker:start brings one up), or correct RABBITMQ_URL.`;
  }
  return `RabbitMQ at ${url.safeUrl} cannot be reached: ${text}. Check RABBITMQ_URL, and that an AMQP listener is there.`;
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

function hasCode(error: unknown, code: string): boolean {
  if (error instanceof AggregateError) return error.errors.some((one) => hasCode(one, code));
  return error instanceof Error && 'code' in error && error.code === code;
}
