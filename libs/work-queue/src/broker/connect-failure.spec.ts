import { describe, expect, it } from '@jest/globals';
import { ConnectError } from '../errors/connect.error.js';
import { parseBrokerUrl } from './broker-url.js';
import { isFinalConnectFailure, toConnectError } from './connect-failure.js';

const URL_WITH_PASSWORD = parseBrokerUrl('amqp://ann:secret@rabbit/shop', 'RABBITMQ_URL');

function failure(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

/** As the client library words them. */
const CREDENTIALS = failure(
  'Handshake terminated by server: 403 (ACCESS-REFUSED) with message "ACCESS_REFUSED - Login was refused"',
);
const VHOST = failure(
  'Handshake terminated by server: 530 (NOT-ALLOWED) with message "NOT_ALLOWED - vhost shop not found"',
);
const VHOST_UNSAID = failure('Expected ConnectionOpenOk; got <ConnectionClose channel:0>');
const HOST = failure('getaddrinfo ENOTFOUND rabbit', 'ENOTFOUND');
const PORT = failure('connect ECONNREFUSED 127.0.0.1:5672', 'ECONNREFUSED');
const BOTH_PORTS = new AggregateError([PORT, failure('connect ECONNREFUSED ::1:5672', 'ECONNREFUSED')]);
const TIMEOUT = failure('connect ETIMEDOUT');

describe('a failure to connect', () => {
  it.each([
    ['wrong credentials', CREDENTIALS, true],
    ['a missing vhost', VHOST, true],
    ['a missing vhost that the client library does not name', VHOST_UNSAID, true],
    ['a host that has no name yet, as beside a broker that is being deployed', HOST, false],
    ['a broker that does not listen yet', PORT, false],
    ['one that does not listen on either address', BOTH_PORTS, false],
    ['no answer', TIMEOUT, false],
    ['a socket closed half way', failure('Socket closed abruptly during opening handshake'), false],
    ['something that is no error', 'ECONNRESET', false],
  ])('is final only when waiting cannot help: %s', (_what, error, isFinal) => {
    expect(isFinalConnectFailure(error)).toBe(isFinal);
  });

  it.each([
    ['wrong credentials', CREDENTIALS, 'refuses user "ann": wrong user name or password'],
    ['a missing vhost', VHOST, 'has no vhost "shop"'],
    ['an unknown host', HOST, 'no host is called "rabbit"'],
    ['nothing listening', PORT, 'nothing listens at amqp://rabbit:5672/shop. Start RabbitMQ there'],
    ['nothing listening on either address', BOTH_PORTS, 'nothing listens at'],
    ['no answer', TIMEOUT, 'cannot be reached: connect ETIMEDOUT. Check RABBITMQ_URL'],
  ])('says what happened and what to do next, and shows no password: %s', (_what, cause, text) => {
    const error = toConnectError(cause, URL_WITH_PASSWORD);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error.cause).toBe(cause);
    expect(error.message).toContain(text);
    expect(error.message).not.toContain('secret');
  });
});
