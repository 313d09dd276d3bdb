import 'reflect-metadata';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApplicationLogger, runApplication } from '@spillway/work-queue';
import { DatabaseUnavailableError } from './database/database-unavailable.error.js';
import { EventsWorkerModule } from './events-worker.module.js';
import { readWorkerOptions, WorkerOptionsError } from './options.js';

async function start(): Promise<INestApplicationContext> {
  const options = readWorkerOptions({ args: process.argv.slice(2), environment: process.env });
  return NestFactory.createApplicationContext(EventsWorkerModule.forRoot(options), {
    abortOnError: false,
    logger: new ApplicationLogger(options.logLevels),
  });
}

export const run = (): Promise<void> =>
  runApplication('events-worker', start, (error) => {
    return error instanceof WorkerOptionsError || error instanceof DatabaseUnavailableError;
  });
