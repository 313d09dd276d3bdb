import { loadPeer } from '../peers/load-peer.js';
import { ORDER_JSON } from './order.js';

interface AutocannonResult {
  readonly duration: number;
  readonly requests: { readonly total: number };
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly statusCodeStats: Readonly<Record<string, { readonly count: number }>>;
}
type Autocannon = (options: {
  url: string;
  method: 'POST';
  headers: Readonly<Record<string, string>>;
  body: string;
  connections: number;
  duration: number;
}) => Promise<AutocannonResult> & { stop(): void };

export interface HttpLoad {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly signal: AbortSignal;
}

export interface HttpOutcome {
  readonly requests: number;
  readonly elapsedSec: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How many answers had a status. */
  readonly answered: (status: string) => number;
}

/** Closed loop: every connection sends its next order when the last one was answered. */
export async function postOrders({ url, connections, seconds, signal }: HttpLoad): Promise<HttpOutcome> {
  signal.throwIfAborted();
  const running = loadPeer<Autocannon>('autocannon')({
    url: `${url}/orders`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: ORDER_JSON,
    connections,
    duration: seconds,
  });
  const stop = () => running.stop();
  signal.addEventListener('abort', stop);
  const { duration, requests, latency, statusCodeStats } = await running;
  signal.removeEventListener('abort', stop);
  return {
    requests: requests.total,
    elapsedSec: duration,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    answered: (status) => statusCodeStats[status]?.count ?? 0,
  };
}
