import type { DynamicModule } from '@nestjs/common';
import { loadPeer } from '../../peers/load-peer.js';
import { SILENT_LOGGER } from '../../peers/silent-logger.js';
import { serveConsumer } from '../serve-consumer.js';

type NestCommon = typeof import('@nestjs/common');
type NestCore = typeof import('@nestjs/core');
interface Golevelup {
  RabbitMQModule: {
    forRoot(config: { uri: string; prefetchCount: number; logger: object }): DynamicModule;
  };
  readonly RabbitSubscribe: (config: { queue: string; createQueueIfNotExists: boolean }) => MethodDecorator;
}

const { Injectable, Module } = loadPeer<NestCommon>('@nestjs/common');
const { NestFactory } = loadPeer<NestCore>('@nestjs/core');
const { RabbitMQModule, RabbitSubscribe } = loadPeer<Golevelup>('@golevelup/nestjs-rabbitmq');

/** A NestJS application as its documentation has it: the module and a provider that subscribes. */
serveConsumer(async ({ url: uri, queue, prefetch }, handled) => {
  @Injectable()
  class Handler {
    // n.b. only that it exists is made sure of: it was declared with its arguments.
    @RabbitSubscribe({ queue, createQueueIfNotExists: false })
    handle(_message: object): void {
      handled();
    }
  }

  @Module({
    imports: [RabbitMQModule.forRoot({ uri, prefetchCount: prefetch, logger: SILENT_LOGGER })],
    providers: [Handler],
  })
  class Application {}

  return NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false });
});
