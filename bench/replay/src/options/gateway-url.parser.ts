import { type GivenOption, invalid, type Parsed, valid } from './parsed.js';

const WEBHOOK_PATH = '/webhooks/github';
const READY_PATH = '/health/ready';

export interface Gateway {
  /** Scheme, host and port as shown to people. */
  origin: string;
  /** Host as a socket wants it: an IPv6 address without brackets. */
  host: string;
  port: number;
  webhookPath: string;
  readyUrl: string;
}

/**
 * Accepts http:// URLs of this machine only: a load generator aimed at someone else's host is an attack.
 * A path in the URL is kept as a prefix.
 */
export function parseGatewayUrl(option: GivenOption): Parsed<Gateway> {
  const url = URL.canParse(option.given) ? new URL(option.given) : undefined;
  if (url?.protocol !== 'http:') return invalid(option, 'an http:// URL such as http://127.0.0.1:3000');
  if (!isLoopback(url.hostname)) {
    return invalid(
      option,
      'a host of this machine (127.0.0.0/8, localhost or [::1]), as replay only loads loopback',
    );
  }
  const prefix = url.pathname.replace(/\/$/, '');
  return valid({
    origin: url.origin,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? 80 : Number(url.port),
    webhookPath: prefix + WEBHOOK_PATH,
    readyUrl: url.origin + prefix + READY_PATH,
  });
}

/** `URL` has already normalised short and hexadecimal IPv4 forms, so the text can be compared. */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
