import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Injectable,
  Module,
  type ModuleMetadata,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { resolveSettings, type Settings, type WorkQueueOptions } from '../config/settings.js';
import { ConfigurationError } from '../errors/configuration.error.js';
import { DeadLetterService } from '../dead-letter/dead-letter.service.js';
import { Telemetry } from '../telemetry/telemetry.js';
import { WorkQueueRuntime } from '../work-queue.runtime.js';
import { ConsumingModule } from './consuming.module.js';
import { EarlyRefusal } from './early-refusal.js';
import { HandlerInvoker } from './handler-invoker.js';
import { HandlerExplorer } from './handler.explorer.js';
import { TelemetryLogger } from './telemetry.logger.js';
import { WORK_QUEUE_OPTIONS, WORK_QUEUE_SETTINGS, workQueueToken } from './tokens.js';
import { WorkQueueExceptionFilter } from './work-queue.exception-filter.js';
import { WorkQueueHealth } from './work-queue.health.js';

export interface WorkQueueAsyncOptions {
  /** Queues this process publishes to; needed before the factory runs, since each becomes a provider. */
  readonly queues?: readonly string[];
  readonly imports?: ModuleMetadata['imports'];
  readonly inject?: FactoryProvider['inject'];
  // The arguments are whatever `inject` names.
  readonly useFactory: (
    ...dependencies: never[]
  ) => Promise<Omit<WorkQueueOptions, 'queues'>> | Omit<WorkQueueOptions, 'queues'>;
}

/** Connects before other modules' onModuleInit may publish, disconnects when nobody can any more. */
@Injectable()
class ConnectionLifecycle implements OnModuleInit, OnApplicationShutdown {
  constructor(
    @Inject(WorkQueueRuntime) private readonly runtime: WorkQueueRuntime,
    modules: ModulesContainer,
  ) {
    const copies = [...modules.values()].filter((module) => module.metatype === WorkQueueModule).length;
    if (copies > 1) {
      throw new ConfigurationError(
        `WorkQueueModule is imported ${copies} times with different options. Import it once, in the root module, with all queues.`,
      );
    }
  }

  async onModuleInit(): Promise<void> {
    await this.runtime.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.runtime.close();
  }
}

/** Import once, in the root module. It is global: every module may inject queues and carry handlers. */
@Module({})
export class WorkQueueModule {
  /**
   * @example WorkQueueModule.forRoot()                          // a worker: @WorkHandler methods are found
   * @example WorkQueueModule.forRoot({ queues: ['invoices'] })  // publishes to invoices
   */
  static forRoot(options: WorkQueueOptions = {}): DynamicModule {
    return assemble({ provide: WORK_QUEUE_OPTIONS, useValue: options }, options.queues ?? []);
  }

  /** As `forRoot`, with options from other providers, such as a ConfigService. */
  static forRootAsync(options: WorkQueueAsyncOptions): DynamicModule {
    const { queues = [], imports = [], inject = [], useFactory } = options;
    const useFactoryWithQueues = async (...dependencies: never[]): Promise<WorkQueueOptions> => ({
      ...(await useFactory(...dependencies)),
      queues,
    });
    return assemble(
      { provide: WORK_QUEUE_OPTIONS, useFactory: useFactoryWithQueues, inject },
      queues,
      imports,
    );
  }
}

function assemble(
  options: Provider,
  queues: readonly string[],
  imports: ModuleMetadata['imports'] = [],
): DynamicModule {
  const doors = queues.map((name) => ({
    provide: workQueueToken(name),
    useFactory: (runtime: WorkQueueRuntime) => runtime.queue(name),
    inject: [WorkQueueRuntime],
  }));
  return {
    module: WorkQueueModule,
    global: true,
    imports: [...imports, DiscoveryModule, ConsumingModule],
    providers: [
      options,
      {
        provide: WORK_QUEUE_SETTINGS,
        useFactory: (raw: WorkQueueOptions) => resolveSettings(raw, process.env),
        inject: [WORK_QUEUE_OPTIONS],
      },
      { provide: Telemetry, useValue: new Telemetry() },
      {
        provide: WorkQueueRuntime,
        // The logger is asked for so that it listens before the first event.
        useFactory: (settings: Settings, telemetry: Telemetry, _logger: TelemetryLogger) =>
          new WorkQueueRuntime(settings, telemetry),
        inject: [WORK_QUEUE_SETTINGS, Telemetry, TelemetryLogger],
      },
      {
        provide: DeadLetterService,
        useFactory: (runtime: WorkQueueRuntime) => runtime.deadLetters,
        inject: [WorkQueueRuntime],
      },
      { provide: APP_FILTER, useClass: WorkQueueExceptionFilter },
      EarlyRefusal,
      TelemetryLogger,
      HandlerInvoker,
      HandlerExplorer,
      WorkQueueHealth,
      ConnectionLifecycle,
      ...doors,
    ],
    exports: [
      WorkQueueRuntime,
      WorkQueueHealth,
      DeadLetterService,
      HandlerExplorer,
      Telemetry,
      ...doors.map((door) => door.provide),
    ],
  };
}
