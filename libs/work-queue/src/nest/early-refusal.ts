import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, HttpAdapterHost, MetadataScanner, ModuleRef } from '@nestjs/core';
import { ConfigurationError } from '../errors/configuration.error.js';
import { earlyRefusalHook, type Gate } from './early-refusal.hook.js';
import type { Fastify } from './fastify.port.js';
import { decoratedRoute, isOverwritten } from './refuses-early.decorator.js';
import { workQueueToken } from './tokens.js';

interface DecoratedMethod {
  readonly label: string;
  readonly queue: string;
}

/**
 * Gives Fastify the hook behind `@RefusesEarly`. The routes are there already by then; Fastify joins hooks and routes
 * when it becomes ready, which is after every onModuleInit.
 */
@Injectable()
export class EarlyRefusal implements OnModuleInit {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly adapterHost: HttpAdapterHost,
    private readonly moduleRef: ModuleRef,
  ) {}

  onModuleInit(): void {
    // A worker without HTTP has no adapter.
    const adapter: HttpAdapterHost['httpAdapter'] | undefined = this.adapterHost.httpAdapter;
    const methods = this.decoratedMethods();
    if (!adapter || methods.length === 0) return;
    const gates = new Map(methods.map((method) => [method.queue, this.gateOf(method)]));
    if (adapter.getType() === 'fastify') {
      adapter.getInstance<Fastify>().addHook('onRequest', earlyRefusalHook(gates));
      return;
    }
    new Logger('WorkQueue').warn(
      `@RefusesEarly needs Fastify, this application runs on ${adapter.getType()}: requests are refused at the publish only`,
    );
  }

  private decoratedMethods(): DecoratedMethod[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      const prototype: unknown = typeof metatype === 'function' ? metatype.prototype : undefined;
      return typeof prototype === 'object' && prototype !== null ? this.methodsOf(prototype) : [];
    });
  }

  private methodsOf(prototype: object): DecoratedMethod[] {
    return this.scanner.getAllMethodNames(prototype).flatMap((methodName) => {
      const method: object = Reflect.get(prototype, methodName);
      const route = decoratedRoute(method);
      if (!route) return [];
      const label = `@RefusesEarly of ${prototype.constructor.name}.${methodName}`;
      if (!isOverwritten(method)) return [{ label, queue: route.queue }];
      throw new ConfigurationError(`${label} is lost in @RouteConfig: write @RefusesEarly above it`);
    });
  }

  private gateOf({ label, queue }: DecoratedMethod): Gate {
    try {
      return this.moduleRef.get<Gate>(workQueueToken(queue), { strict: false });
    } catch (cause) {
      const name = JSON.stringify(queue);
      throw new ConfigurationError(
        `${label} names the queue ${name}: list it in WorkQueueModule.forRoot({ queues: [...] })`,
        { queue, cause },
      );
    }
  }
}
