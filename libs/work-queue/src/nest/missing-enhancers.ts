import type { Module } from '@nestjs/core/injector/module.js';

/** NestJS's keys for what `@UseGuards()`, `@UseInterceptors()`, `@UsePipes()` and `@UseFilters()` leave behind. */
const ENHANCERS_METADATA = ['__guards__', '__interceptors__', '__pipes__', '__exceptionFilters__'];

/**
 * Names of the guards, interceptors, pipes and filters of a method and its class that NestJS has no instance of and
 * would leave out silently: it makes those given as classes only for providers and controllers that are classes.
 */
export function missingEnhancers(prototype: object, methodName: string, module: Module): string[] {
  const targets = [prototype.constructor, Reflect.get(prototype, methodName)];
  return ENHANCERS_METADATA.flatMap((key) =>
    targets.flatMap((target) => Reflect.getMetadata(key, target) ?? []),
  )
    .filter((enhancer) => typeof enhancer === 'function' && !module.injectables.has(enhancer))
    .map((enhancer) => enhancer.name);
}
