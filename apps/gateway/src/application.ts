import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApplicationLogger, runApplication } from '@spillway/work-queue';
import { GatewayModule } from './gateway.module.js';
import { GatewayOptionsError, readGatewayOptions } from './gateway.options.js';
import { acceptRawBodies, createHttpAdapter } from './http/http-server.js';

async function start(): Promise<NestFastifyApplication> {
  const options = readGatewayOptions(process.env);
  const app = await NestFactory.create<NestFastifyApplication>(
    GatewayModule.forRoot(options),
    createHttpAdapter(options),
    { bodyParser: false, abortOnError: false, logger: new ApplicationLogger(options.logLevels) },
  );
  acceptRawBodies(app, options);
  await app.listen(options.port, options.host);
  new Logger('Gateway').log(`listening on ${await app.getUrl()}`);
  return app;
}

export const run = (): Promise<void> =>
  runApplication('gateway', start, (error) => error instanceof GatewayOptionsError || isListenError(error));

/** A taken port or a wrong host: the system's own message says it all. */
function isListenError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
