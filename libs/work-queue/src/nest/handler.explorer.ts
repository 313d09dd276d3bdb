import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { parseRate } from '@spillway/qos';
import { HandlerRegistrationError } from '../errors/handler-registration.error.js';
import type { PayloadType } from '../execute/payload-validator.js';
import type { MountedHandler } from '../execute/work-handler.js';
import { RpcParamtype } from '@nestjs/microservices/enums/rpc-paramtype.enum.js';
import { HandlerInvoker, PARAMETERS_METADATA } from './handler-invoker.js';
import { missingEnhancers } from './missing-enhancers.js';
import { WORK_HANDLER_METADATA, type WorkHandlerMetadata } from './work-handler.decorator.js';

/** Types that say nothing about a payload's shape. */
const NOT_A_DTO = new Set<unknown>([
  Object,
  String,
  Number,
  Boolean,
  Array,
  Function,
  Promise,
  Date,
  Map,
  Set,
  Buffer,
  Uint8Array,
]);

/** Finds every `@WorkHandler` method of the application, on providers and controllers. */
@Injectable()
export class HandlerExplorer {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly invoker: HandlerInvoker,
  ) {}

  explore(): MountedHandler[] {
    return [
      ...this.discovery.getProviders().flatMap((wrapper) => this.handlersOf(wrapper, false)),
      ...this.discovery.getControllers().flatMap((wrapper) => this.handlersOf(wrapper, true)),
    ];
  }

  private handlersOf(wrapper: InstanceWrapper<object>, isController: boolean): MountedHandler[] {
    const prototype = prototypeOf(wrapper);
    if (!prototype) return [];
    return this.scanner.getAllMethodNames(prototype).flatMap((methodName) => {
      const metadata = metadataOf(prototype, methodName);
      return metadata ? [this.mount(wrapper, isController, prototype, methodName, metadata)] : [];
    });
  }

  private mount(
    wrapper: InstanceWrapper<object>,
    isController: boolean,
    prototype: object,
    methodName: string,
    metadata: WorkHandlerMetadata,
  ): MountedHandler {
    const { host: module } = wrapper;
    const label = `${prototype.constructor.name}.${methodName}`;
    if (!module) throw new Error(`${label} belongs to no module`);
    assertEnhanced(label, metadata.queue, missingEnhancers(prototype, methodName, module));
    return {
      queue: metadata.queue,
      label,
      payloadType: metadata.payload ?? payloadTypeOf(prototype, methodName),
      prefetch: metadata.prefetch,
      concurrency: metadata.concurrency,
      ratePerSec: rateOf(label, metadata),
      batch: metadata.batch,
      threads: threadsOf(label, metadata),
      invoke: this.invoker.invokerOf({ wrapper, module, isController, methodName }),
    };
  }
}

function assertEnhanced(label: string, queue: string, missing: readonly string[]): void {
  if (missing.length === 0) return;
  throw new HandlerRegistrationError(
    `${label} would run without ${missing.join(', ')}: NestJS makes what @UseGuards() and the like name as a class only for providers that are classes. Provide the class instead of a factory or value, or give the decorator an instance.`,
    { queue },
  );
}

function threadsOf(label: string, { threads, queue }: WorkHandlerMetadata): URL | undefined {
  if (threads === undefined || threads instanceof URL) return threads;
  throw new HandlerRegistrationError(
    `${label}: expected threads to be a URL such as new URL('./some.thread.js', import.meta.url), got: ${String(threads)}`,
    { queue },
  );
}

function rateOf(label: string, { rate, queue }: WorkHandlerMetadata): number | undefined {
  const ratePerSec = rate === undefined ? undefined : parseRate(rate);
  if (rate === undefined || ratePerSec !== undefined) return ratePerSec;
  throw new HandlerRegistrationError(
    `${label}: expected a rate such as 200/s, 30/m or 1000/h, got: ${String(rate)}`,
    { queue },
  );
}

/** Getters of the instance must not fire, so methods are looked for on the prototype. */
function prototypeOf(wrapper: InstanceWrapper<object>): object | undefined {
  // `useExisting` names a provider that is found under its own name too.
  if (wrapper.isAlias) return undefined;
  if (!wrapper.isDependencyTreeStatic()) return classPrototype(wrapper.metatype);
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null ? Object.getPrototypeOf(instance) : undefined;
}

function classPrototype(metatype: InstanceWrapper['metatype']): object | undefined {
  const prototype: unknown = typeof metatype === 'function' ? Reflect.get(metatype, 'prototype') : undefined;
  return typeof prototype === 'object' && prototype !== null ? prototype : undefined;
}

function metadataOf(prototype: object, methodName: string): WorkHandlerMetadata | undefined {
  const method: unknown = Reflect.get(prototype, methodName);
  return typeof method === 'function' ? Reflect.getMetadata(WORK_HANDLER_METADATA, method) : undefined;
}

/** The declared class of the parameter that takes the whole payload: the `@Payload()` one, or the first. */
function payloadTypeOf(prototype: object, methodName: string): PayloadType | undefined {
  const types: unknown[] = Reflect.getMetadata('design:paramtypes', prototype, methodName) ?? [];
  const type = types[payloadIndex(prototype, methodName)];
  return isDto(type) ? type : undefined;
}

function payloadIndex(prototype: object, methodName: string): number {
  const parameters: Record<string, { index: number; data?: unknown }> | undefined = Reflect.getMetadata(
    PARAMETERS_METADATA,
    prototype.constructor,
    methodName,
  );
  if (!parameters) return 0;
  const whole = Object.entries(parameters).find(
    ([key, { data }]) => key.startsWith(`${RpcParamtype.PAYLOAD}:`) && typeof data !== 'string',
  );
  return whole ? whole[1].index : -1;
}

function isDto(type: unknown): type is PayloadType {
  return typeof type === 'function' && !NOT_A_DTO.has(type);
}
