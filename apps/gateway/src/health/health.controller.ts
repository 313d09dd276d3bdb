import { Controller, Get, Res } from '@nestjs/common';
import { WorkQueueHealth } from '@spillway/work-queue';
import type { FastifyReply } from 'fastify';

@Controller('health')
export class HealthController {
  constructor(private readonly health: WorkQueueHealth) {}

  /** The process answers. */
  @Get('live')
  live(): { status: string } {
    return { status: 'live' };
  }

  /** Connected, not blocked, and the queue limited as configured. */
  @Get('ready')
  async ready(
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<{ status: string; problems?: readonly string[] }> {
    const { isReady, problems } = await this.health.check();
    if (isReady) return { status: 'ready' };
    void reply.status(503);
    return { status: 'not ready', problems };
  }
}
