import type { RmqContext } from '@nestjs/microservices';
import { loadPeer } from '../../peers/load-peer.js';
import { PATTERN } from '../scenario.js';
import { serveConsumer } from '../serve-consumer.js';

type NestCommon = typeof import('@nestjs/common');
type NestCore = typeof import('@nestjs/core');
type Microservices = typeof import('@nestjs/microservices');

const { Controller, Module } = loadPeer<NestCommon>('@nestjs/common');
const { NestFactory } = loadPeer<NestCore>('@nestjs/core');
const { Ctx, EventPattern, Payload, Transport } = loadPeer<Microservices>('@nestjs/microservices');

/** NestJS's own transport as its documentation has it; acks are the handler's business. */
serveConsumer(async ({ url, queue, prefetch }, handled) => {
  @Controller()
  class Handler {
    @EventPattern<string>(PATTERN)
    handle(@Payload() _payload: object, @Ctx() context: RmqContext): void {
      handled();
      const channel: { ack(message: object): void } = context.getChannelRef();
      channel.ack(context.getMessage());
    }
  }

  @Module({ controllers: [Handler] })
  class Application {}

  const options = { urls: [url], queue, prefetchCount: prefetch, noAck: false, noAssert: true };
  const app = await NestFactory.createMicroservice(Application, {
    transport: Transport.RMQ,
    options,
    logger: false,
    abortOnError: false,
  });
  await app.listen();
  return app;
});
