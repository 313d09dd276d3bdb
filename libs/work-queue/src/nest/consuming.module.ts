import { Injectable, Module, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { WorkQueueRuntime } from '../work-queue.runtime.js';
import { HandlerExplorer } from './handler.explorer.js';

/** NestJS runs start hooks by falling distance from the root, and stop hooks the other way round. */
const BEYOND_THE_ROOT = -1;

/** Starts consuming when everything else has started, and stops it before anything else stops. */
@Injectable()
class ConsumingLifecycle implements OnApplicationBootstrap, OnModuleDestroy {
  constructor(
    private readonly runtime: WorkQueueRuntime,
    private readonly explorer: HandlerExplorer,
    modules: ModulesContainer,
  ) {
    // A handler's database pool lives in any module, the root included: no import order puts us before its
    // onModuleDestroy, only the distance does. Both shutdown orders are tested (docs/adr/0003).
    for (const module of modules.values()) {
      if (module.metatype === ConsumingModule) module.distance = BEYOND_THE_ROOT;
    }
  }

  async onApplicationBootstrap(): Promise<void> {
    try {
      await Promise.all(this.explorer.explore().map((handler) => this.runtime.consume(handler)));
    } catch (error) {
      // NestJS runs no stop hooks after a failed start; a connection left open would keep the process alive.
      await this.runtime.close();
      throw error;
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.runtime.stopConsuming();
  }
}

@Module({ providers: [ConsumingLifecycle] })
export class ConsumingModule {}
