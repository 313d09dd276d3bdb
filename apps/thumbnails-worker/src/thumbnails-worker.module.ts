import { type DynamicModule, Module } from '@nestjs/common';
import { IMAGES, photoCodec } from '@spillway/contracts';
import { WorkQueueModule } from '@spillway/work-queue';
import { ImagesHandler } from './images/images.handler.js';
import { ThumbnailStore } from './images/thumbnail.store.js';
import type { WorkerOptions } from './options.js';

@Module({})
export class ThumbnailsWorkerModule {
  static forRoot({ thumbnailsFolder }: WorkerOptions): DynamicModule {
    return {
      module: ThumbnailsWorkerModule,
      imports: [WorkQueueModule.forRoot({ name: 'thumbnails-worker', codecs: { [IMAGES]: photoCodec } })],
      providers: [
        ImagesHandler,
        { provide: ThumbnailStore, useFactory: () => ThumbnailStore.open(thumbnailsFolder) },
      ],
    };
  }
}
