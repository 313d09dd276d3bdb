import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

// The parts of Fastify that are used. The package itself is the application's choice, so nothing here imports it.

/** The metadata in which NestJS's Fastify adapter, and its @RouteConfig, keep a route's `config`. */
export const FASTIFY_ROUTE_CONFIG = '__fastify_route_config__';

/** A request whose body has not been read. */
export interface EarlyRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly bodyLimit: number; readonly config?: object };
}

export interface EarlyReply {
  readonly raw: ServerResponse;
  code(status: number): EarlyReply;
  headers(headers: Readonly<Record<string, string>>): EarlyReply;
  send(body: string): unknown;
}

export type OnRequest = (request: EarlyRequest, reply: EarlyReply, done: () => void) => void;

export interface Fastify {
  addHook(name: 'onRequest', hook: OnRequest): unknown;
}
