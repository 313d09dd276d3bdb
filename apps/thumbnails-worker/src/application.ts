import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApplicationLogger, runApplication } from '@spillway/work-queue';
import { readWorkerOptions, WorkerOptionsError } from './options.js';
import { ThumbnailsWorkerModule } from './thumbnails-worker.module.js';

async function start(): Promise<INestApplicationContext> {
  const options = readWorkerOptions(process.env, process.argv.slice(2));
  return NestFactory.createApplicationContext(ThumbnailsWorkerModule.forRoot(options), {
    abortOnError: false,
    logger: new ApplicationLogger(options.logLevels),
  });
}

export const run = (): Promise<void> =>
  runApplication('thumbnails-worker', start, (error) => error instanceof WorkerOptionsError);
