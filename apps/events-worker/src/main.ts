import 'reflect-metadata';
import { ConsoleLogger, type INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { runApplication } from '@spillway/work-queue';
import { EventsWorkerModule } from './events-worker.module.js';
