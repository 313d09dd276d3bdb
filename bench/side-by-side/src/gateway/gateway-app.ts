import 'reflect-metadata';
import { type DynamicModule, Module, ValidationPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { WorkQueueModule } from '@spillway/work-queue';
import type { GatewayTarget, GatewayVariant } from './gateway-variant.js';
import { publishingController, UnpublishedOrdersController } from './orders.controllers.js';

/** More than the connections that load it: nobody waits for a slot. */
const WINDOW = 100;
/** Nobody consumes, so that the first order fills it for good. */
const FULL_AFTER = 1;
const NEVER_FULL = 1_000_000_000;

@Module({})
class GatewayModule {
  static for(target: GatewayTarget): DynamicModule {
    const { variant } = target;
    if (!publishes(variant)) return { module: GatewayModule, controllers: [UnpublishedOrdersController] };
    return {
      module: GatewayModule,
      imports: [workQueues(target)],
      controllers: [publishingController(variant)],
    };
  }
}

const publishes = (variant: GatewayVariant): boolean => variant === 'ours' || variant === 'refused';

/** The queue has the name of the variant. */
function workQueues({ variant, url, managementUrl, queueType }: GatewayTarget): DynamicModule {
  const maxLength = variant === 'refused' ? FULL_AFTER : NEVER_FULL;
  const qos = { type: queueType, maxLength, window: WINDOW };
  return WorkQueueModule.forRoot({
    queues: [variant],
    url,
    managementUrl,
    config: { queues: { [variant]: qos } },
  });
}

/** @returns an application that listens on a port of its own */
export async function startGateway(target: GatewayTarget): Promise<NestFastifyApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.for(target),
    new FastifyAdapter(),
    { logger: false, abortOnError: false },
  );
  app.useGlobalPipes(new ValidationPipe({ whitelist: true, transform: true }));
  if (target.variant === 'plain-hook') refuseEverything(app);
  await app.listen(0, '127.0.0.1');
  return app;
}

function refuseEverything(app: NestFastifyApplication): void {
  const problem = JSON.stringify({ title: 'The queue is full', status: 503, reason: 'queue-full' });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (_request, reply) => {
      reply.code(503).header('retry-after', '1').type('application/problem+json').send(problem);
    });
}
