import 'reflect-metadata';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Payload } from '@nestjs/microservices';
import { WorkHandler, WorkQueueModule } from '@spillway/work-queue';
import { serveConsumer } from '../serve-consumer.js';
import { ourOptions } from './our-options.js';

/** As an application has it: the whole module, a provider with a handler, NestJS's pipeline around it. */
serveConsumer(async (target, handled) => {
  const { queue, prefetch } = target;

  @Injectable()
  class Handler {
    @WorkHandler(queue, { prefetch, concurrency: prefetch })
    handle(@Payload() _payload: object): void {
      handled();
    }
  }

  @Module({ imports: [WorkQueueModule.forRoot(ourOptions(target))], providers: [Handler] })
  class Application {}

  return NestFactory.createApplicationContext(Application, { logger: false, abortOnError: false });
});
