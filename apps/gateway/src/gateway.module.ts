import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { GITHUB_EVENTS, githubEventCodec, IMAGES, photoCodec } from '@spillway/contracts';
import { WorkQueueModule } from '@spillway/work-queue';
import type { GatewayOptions } from './gateway.options.js';
import { GATEWAY_OPTIONS } from './gateway.tokens.js';
import { GithubWebhookController } from './github/github-webhook.controller.js';
import { HealthController } from './health/health.controller.js';
import { ProblemFilter } from './http/problem.filter.js';
import { WorkIntake } from './http/work-intake.js';
import { ImagesController } from './images/images.controller.js';

@Module({})
export class GatewayModule {
  static forRoot(options: GatewayOptions): DynamicModule {
    return {
      module: GatewayModule,
      imports: [
        WorkQueueModule.forRoot({
          name: 'gateway',
          queues: [GITHUB_EVENTS, IMAGES],
          codecs: { [GITHUB_EVENTS]: githubEventCodec, [IMAGES]: photoCodec },
        }),
      ],
      controllers: [GithubWebhookController, ImagesController, HealthController],
      providers: [
        WorkIntake,
        { provide: GATEWAY_OPTIONS, useValue: options },
        { provide: APP_FILTER, useClass: ProblemFilter },
      ],
    };
  }
}
