import type { QueueType } from '../broker/bench-vhost.js';
import { MeasuredProcess } from '../process/measured-process.js';
import { rotated } from '../report/rounds.js';
import type { Surroundings } from '../surroundings.js';
import type { GatewaySample } from './gateway-summary.js';
import { GATEWAY_VARIANTS, type GatewayTarget, type GatewayVariant, statusOf } from './gateway-variant.js';
import type { GatewayState } from './gateway.child.js';
import { postOrders } from './http-load.js';

export interface GatewayPlan {
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly queueType: QueueType;
}

const WARM_UP_SEC = 2;

/** Every round loads every gateway, one at a time, in an order that rotates. */
export async function benchGateway(plan: GatewayPlan, surroundings: Surroundings): Promise<GatewaySample[]> {
  const gateways = GATEWAY_VARIANTS.map((variant) => new Gateway(variant, plan, surroundings));
  const samples: GatewaySample[] = [];
  try {
    for (const gateway of gateways) await gateway.load(WARM_UP_SEC);
    for (let round = 1; round <= plan.rounds; round += 1) {
      for (const gateway of rotated(gateways, round)) {
        surroundings.say(`round ${round} of ${plan.rounds}: ${gateway.variant}`);
        samples.push({ round, ...(await gateway.load(plan.seconds)) });
      }
    }
    return samples;
  } finally {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
  }
}

/** One variant in its process. */
class Gateway {
  private readonly child: MeasuredProcess<GatewayTarget, GatewayState>;
  private readonly target: GatewayTarget;

  constructor(
    readonly variant: GatewayVariant,
    private readonly plan: GatewayPlan,
    private readonly surroundings: Surroundings,
  ) {
    const { vhost, signal } = surroundings;
    const file = new URL('gateway.child.js', import.meta.url);
    this.child = new MeasuredProcess({ name: variant, file, signal });
    this.target = { variant, queueType: plan.queueType, ...vhost.urls };
  }

  async load(seconds: number): Promise<Omit<GatewaySample, 'round'>> {
    const before = await this.child.ask(this.target);
    const { connections } = this.plan;
    const { signal, vhost } = this.surroundings;
    const outcome = await postOrders({ url: before.url, connections, seconds, signal });
    const { cpu } = await this.child.ask(this.target);
    // What nobody works off would grow from round to round.
    if (this.variant === 'ours') await vhost.purgeQueue(this.variant);
    const cpuUs = cpu.userUs + cpu.systemUs - before.cpu.userUs - before.cpu.systemUs;
    return {
      variant: this.variant,
      requestsPerSec: outcome.requests / outcome.elapsedSec,
      p50Ms: outcome.p50Ms,
      p99Ms: outcome.p99Ms,
      cpuUs: cpuUs / outcome.requests,
      unexpected: outcome.requests - outcome.answered(statusOf(this.variant)),
    };
  }

  stop(): Promise<void> {
    return this.child.stop();
  }
}
