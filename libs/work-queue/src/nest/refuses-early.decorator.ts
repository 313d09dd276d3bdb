import { SetMetadata } from '@nestjs/common';
import type { Priority } from '../admission/admission.js';
import { type EarlyRequest, FASTIFY_ROUTE_CONFIG } from './fastify.port.js';

export interface RefusesEarlyOptions {
  /** The id the request would be published with, from its headers or address. What it throws is answered as usual. */
  messageIdOf?(request: EarlyRequest): string | undefined;
  /** The priority it would be published with. @default 'normal' */
  priorityOf?(request: EarlyRequest): Priority;
}

/** What `@RefusesEarly` says of one route. */
class EarlyRefusalRoute {
  constructor(
    readonly queue: string,
    readonly options: RefusesEarlyOptions,
  ) {}
}

/** Where a route's Fastify `config` keeps its EarlyRefusalRoute. */
const CONFIG_KEY = 'spillwayEarlyRefusal';
const METADATA_KEY = 'SpillwayRefusesEarly';

/**
 * Refuses a request to this route before its body is read, while the queue takes nothing: a fraction of the cost of
 * refusing it at the publish, with the same answer. What gets through is published, and may be refused, as without
 * it. Guards, pipes and interceptors have not run yet: whoever asks is told that the queue is full. Needs Fastify;
 * does nothing on another adapter. Stands above `@RouteConfig`, if there is one.
 *
 * @example
 * @Post()
 * @RefusesEarly('invoices')
 * accept(@Body() invoice: Invoice) { return this.invoices.publish(invoice); }
 */
export function RefusesEarly(queue: string, options: RefusesEarlyOptions = {}): MethodDecorator {
  const route = new EarlyRefusalRoute(queue, options);
  return (target, methodName, descriptor) => {
    const method: object = Reflect.get(target, methodName);
    const config = { ...configOf(method), [CONFIG_KEY]: route };
    SetMetadata(FASTIFY_ROUTE_CONFIG, config)(target, methodName, descriptor);
    SetMetadata(METADATA_KEY, route)(target, methodName, descriptor);
  };
}

/** What the method was decorated with, whether or not it reached the route. */
export function decoratedRoute(method: object): EarlyRefusalRoute | undefined {
  const route: unknown = Reflect.getMetadata(METADATA_KEY, method);
  return route instanceof EarlyRefusalRoute ? route : undefined;
}

/** A `@RouteConfig` that is applied later replaces the whole config. */
export function isOverwritten(method: object): boolean {
  return configuredRoute(configOf(method)) !== decoratedRoute(method);
}

/** What Fastify has of it when a request comes. */
export function configuredRoute(config: object | undefined): EarlyRefusalRoute | undefined {
  const route: unknown = config && Reflect.get(config, CONFIG_KEY);
  return route instanceof EarlyRefusalRoute ? route : undefined;
}

function configOf(method: object): object | undefined {
  const config: unknown = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG, method);
  return typeof config === 'object' && config !== null ? config : undefined;
}
