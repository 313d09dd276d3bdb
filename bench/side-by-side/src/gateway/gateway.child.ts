import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { answerParent } from '../process/answer-parent.js';
import { type CpuTime, cpuTimeSince } from '../process/cpu-time.js';
import { startGateway } from './gateway-app.js';
import type { GatewayTarget } from './gateway-variant.js';

export interface GatewayState {
  readonly url: string;
  /** Of this process so far. */
  readonly cpu: CpuTime;
}

let starting: Promise<NestFastifyApplication> | undefined;

/** The first question starts it; each answer says where it is and what it has used. */
answerParent<GatewayTarget, GatewayState>(async (target) => {
  starting ??= startGateway(target);
  const app = await starting;
  return { url: await app.getUrl(), cpu: cpuTimeSince() };
});
