import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';

import type { Gateway } from '../options/gateway-url.parser.js';
import { type AttemptOutcome, classifyAnswer } from './attempt-outcome.js';
import type { Delivery } from './delivery.js';
import { classifyFailure, RequestTimeoutError } from './failure-outcome.js';

const MAX_PROBLEM_CHARACTERS = 65_536;
/** Below the 5 s after which a Node server hangs up: a request sent into that moment would end as unknown. */
const IDLE_CONNECTION_MS = 4_000;

interface GatewayClientOptions {
  gateway: Gateway;
  maxConnections: number;
  requestTimeoutMs: number;
}

/** Posts one attempt at a time per connection. Never rejects: however the attempt ends, that is an outcome. */
export class GatewayClient {
  private readonly agent: Agent;

  constructor(private readonly options: GatewayClientOptions) {
    const { maxConnections } = options;
    // n.b. the agent's timeout closes free connections only; a request under way just emits 'timeout'.
    this.agent = new Agent({
      keepAlive: true,
      maxSockets: maxConnections,
      maxFreeSockets: maxConnections,
      timeout: IDLE_CONNECTION_MS,
    });
  }

  post(delivery: Delivery): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      const sending = this.open(delivery);
      const timer = setTimeout(
        () => sending.destroy(new RequestTimeoutError()),
        this.options.requestTimeoutMs,
      );
      let isAnswered = false;
      sending.on('response', (response) => {
        isAnswered = true;
        readAnswer(response, resolve);
      });
      // n.b. a request destroyed while its answer is being read emits 'error' before the answer's 'close'.
      sending.on('error', (error) => isAnswered || resolve(classifyFailure(error)));
      sending.on('close', () => clearTimeout(timer));
      sending.end(delivery.payload.bytes);
    });
  }

  /** Closes the idle connections; call it after the last outcome. */
  close(): void {
    this.agent.destroy();
  }

  private open({ id, payload }: Delivery): ClientRequest {
    const { host, port, webhookPath } = this.options.gateway;
    const headers = { ...payload.headers, 'X-GitHub-Delivery': id };
    return request({ agent: this.agent, host, port, path: webhookPath, method: 'POST', headers });
  }
}

/** `close` follows `end`, and also a body that broke off, so every answer is resolved once, after its last byte. */
function readAnswer(response: IncomingMessage, resolve: (outcome: AttemptOutcome) => void): void {
  const status = response.statusCode ?? 0;
  const retryAfterHeader = response.headers['retry-after'];
  let body = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    if (body.length < MAX_PROBLEM_CHARACTERS) body += text;
  });
  response.on('error', () => response.destroy());
  response.on('close', () =>
    resolve(classifyAnswer({ status, retryAfterHeader, body, isComplete: response.complete })),
  );
}
