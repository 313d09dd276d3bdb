import { ConfigurationError } from '../errors/configuration.error.js';

/** An AMQP URL taken apart. `safeUrl` has no password in it and is the form for messages and logs. */
export interface BrokerUrl {
  readonly protocol: 'amqp' | 'amqps';
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
  readonly safeUrl: string;
}

const DEFAULT_PORTS = { amqp: 5672, amqps: 5671 } as const;

/**
 * Parses `amqp://user:password@host:port/vhost`. No path means the vhost `/`, as does a bare `/`:
 * the empty vhost that a strict reading of the latter gives exists on no broker.
 * @throws ConfigurationError
 */
export function parseBrokerUrl(url: string, source: string): BrokerUrl {
  const parsed = toUrl(url);
  const protocol = parsed?.protocol.slice(0, -1);
  if (!parsed || (protocol !== 'amqp' && protocol !== 'amqps') || parsed.hostname === '') {
    throw new ConfigurationError(
      `${source}: expected an AMQP URL such as amqp://user:password@127.0.0.1:5672/vhost, got: ${withoutPassword(url)}`,
    );
  }
  const vhost = decodeURIComponent(parsed.pathname.slice(1)) || '/';
  const port = parsed.port === '' ? DEFAULT_PORTS[protocol] : Number(parsed.port);
  const hostname = parsed.hostname.replace(/^\[|\]$/g, '');
  return {
    protocol,
    hostname,
    port,
    username: decodeURIComponent(parsed.username) || 'guest',
    password: decodeURIComponent(parsed.password) || 'guest',
    vhost,
    safeUrl: `${protocol}://${parsed.hostname}:${port}${vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`}`,
  };
}

function toUrl(url: string): URL | undefined {
  try {
    const parsed = new URL(url);
    // Throws on a % that escapes nothing.
    for (const part of [parsed.username, parsed.password, parsed.pathname]) decodeURIComponent(part);
    return parsed;
  } catch {
    return undefined;
  }
}

/** A URL that cannot be parsed may have anything in its password, so all up to the last @ is hidden. */
function withoutPassword(url: string): string {
  return JSON.stringify(url.replace(/:(?!\/\/).*@/s, ':***@'));
}
