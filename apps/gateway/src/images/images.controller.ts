import { Controller, Get, NotFoundException, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { IMAGES, Photo } from '@spillway/contracts';
import { InjectWorkQueue, RefusesEarly, WorkQueue } from '@spillway/work-queue';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LARGE_BODIES } from '../http/http-server.js';
import { readPriority } from '../http/priority.js';
import { RawBody } from '../http/raw-body.decorator.js';
import type { WorkAnswer } from '../http/work-answer.js';
import { WorkIntake } from '../http/work-intake.js';
import { messageIdOfImage } from './image-key.js';
import { PhotoPipe } from './photo.pipe.js';

@Controller('images')
export class ImagesController {
  constructor(
    @InjectWorkQueue(IMAGES) private readonly images: WorkQueue<Photo>,
    private readonly intake: WorkIntake,
  ) {}

  /** 202 only after the broker's confirm; with `Prefer: wait` 200 and the sizes, if they are made in time. */
  @Post()
  @RefusesEarly(IMAGES, {
    messageIdOf: ({ headers }) => messageIdOfImage(headers),
    priorityOf: ({ headers }) => readPriority(headers),
  })
  @RouteConfig(LARGE_BODIES)
  receive(
    @RawBody(PhotoPipe) photo: Photo,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WorkAnswer['body']> {
    const messageId = messageIdOfImage(request.headers);
    const locationOf = (id: string): string => `/images/${id}`;
    return this.intake.take({ queue: this.images, payload: photo, messageId, locationOf }, request, reply);
  }

  /** The address a 202 points to. The gateway keeps no record of what it stored, and says so. */
  @Get(':id')
  status(@Param('id') id: string): never {
    throw new NotFoundException(
      `the gateway keeps no state of ${id}: once made, its sizes are in the folder of that name where the thumbnails worker keeps them`,
    );
  }
}
