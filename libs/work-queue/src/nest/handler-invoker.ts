import { BadRequestException, Injectable, UnprocessableEntityException } from '@nestjs/common';
import { ContextIdFactory, ExternalContextCreator, ModuleRef, ModulesContainer } from '@nestjs/core';
import { Injector } from '@nestjs/core/injector/injector.js';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';
import { RpcParamtype } from '@nestjs/microservices/enums/rpc-paramtype.enum.js';
import type { BatchContext } from '../execute/batch-context.js';
import { InvalidPayload } from '../execute/payload-validator.js';
import type { WorkContext } from '../execute/work-context.js';
import { UnansweredErrorProxy } from './unanswered-error.proxy.js';

/** NestJS's key for what `@Payload()`, `@Ctx()` and `@Body()` leave on a method. Tested against NestJS itself. */
export const PARAMETERS_METADATA = '__routeArguments__';

export type Invoke = (payload: unknown, context: WorkContext | BatchContext) => Promise<unknown>;

/** Which class, instance and module a handler method belongs to. */
export interface HandlerHost {
  readonly wrapper: InstanceWrapper<object>;
  readonly module: Module;
  readonly isController: boolean;
  readonly methodName: string;
}

const errorProxy = new UnansweredErrorProxy();

/** Makes a method callable with everything NestJS puts around it. */
@Injectable()
export class HandlerInvoker {
  private readonly injector = new Injector();

  constructor(
    private readonly externalContext: ExternalContextCreator,
    private readonly modules: ModulesContainer,
    private readonly moduleRef: ModuleRef,
  ) {}

  invokerOf(host: HandlerHost): Invoke {
    // The one instance NestJS shows for a transient class is a placeholder whose constructor never ran.
    const isShared = host.wrapper.isDependencyTreeStatic() && !host.wrapper.isTransient;
    // Looked up once, not for each message.
    const creator = this.creatorFor(host);
    const invoke = isShared ? bind(creator, host, host.wrapper.instance) : this.perMessage(creator, host);
    return async (payload, context) => {
      try {
        return await invoke(payload, context);
      } catch (error) {
        throw isBadInput(error) ? new InvalidPayload([describe(error)], context.queue, error) : error;
      }
    };
  }

  /** A request-scoped or transient class is made anew for each message; its REQUEST is the WorkContext. */
  private perMessage(creator: ExternalContextCreator, host: HandlerHost): Invoke {
    return async (payload, context) => {
      const contextId = ContextIdFactory.create();
      this.moduleRef.registerRequestByContextId(context, contextId);
      const collection = host.isController ? host.module.controllers : host.module.providers;
      const instance = await this.injector.loadPerContext(
        host.wrapper.instance,
        host.module,
        collection,
        contextId,
        host.wrapper,
      );
      return bind(creator, host, instance, contextId)(payload, context);
    };
  }

  /**
   * NestJS looks for the host's module among providers only; for a controller it would find none and leave out,
   * silently, every guard and pipe given as a class.
   */
  private creatorFor(host: HandlerHost): ExternalContextCreator {
    const key = [...this.modules.entries()].find(([, module]) => module === host.module)?.[0] ?? '';
    return Object.create(this.externalContext, {
      getContextModuleKey: { value: () => key },
      externalErrorProxy: { value: errorProxy },
    });
  }
}

function bind(
  creator: ExternalContextCreator,
  host: HandlerHost,
  instance: object,
  contextId?: { id: number },
): Invoke {
  const { methodName } = host;
  return creator.create(
    instance,
    methodOf(instance, methodName),
    methodName,
    PARAMETERS_METADATA,
    { exchangeKeyForValue },
    contextId,
    // Without it NestJS takes a transient guard's placeholder, whose constructor never ran.
    host.wrapper.id,
    { guards: true, interceptors: true, filters: true },
    'rpc',
  );
}

function exchangeKeyForValue(type: number, data: unknown, args: readonly unknown[]): unknown {
  const [payload, context] = args;
  if (type === RpcParamtype.CONTEXT) return context;
  if (type !== RpcParamtype.PAYLOAD) return undefined;
  if (typeof data !== 'string') return payload;
  return typeof payload === 'object' && payload !== null ? Reflect.get(payload, data) : undefined;
}

function methodOf(instance: object, name: string): (...args: unknown[]) => unknown {
  const method: unknown = Reflect.get(instance, name);
  // The method itself: guards, pipes and what Reflector reads are kept on it.
  if (isMethod(method)) return method;
  throw new TypeError(`${instance.constructor.name}.${name} is not a method`);
}

function isMethod(value: unknown): value is (...args: unknown[]) => unknown {
  return typeof value === 'function';
}

/** What a ValidationPipe of yours throws: the input is bad, and no other attempt changes it. */
function isBadInput(error: unknown): error is BadRequestException | UnprocessableEntityException {
  return error instanceof BadRequestException || error instanceof UnprocessableEntityException;
}

/** ValidationPipe gives a list of texts or, with `errorFormat: 'grouped'`, an object; others may give anything. */
function describe(error: BadRequestException | UnprocessableEntityException): string {
  const response = error.getResponse();
  const details: unknown = typeof response === 'object' ? Reflect.get(response, 'message') : response;
  if (Array.isArray(details)) return details.map(asText).join('; ');
  return details === undefined ? error.message : asText(details);
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
