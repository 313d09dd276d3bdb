import type { BrokerUrls, QueueType } from '../broker/bench-vhost.js';

/**
 * none: validates and answers 202. ours: publishes before it answers. refused: the same, its queue is full for good.
 * plain-hook: Fastify's own onRequest answers 503, before NestJS and the body; nothing can refuse for less.
 */
export const GATEWAY_VARIANTS = ['none', 'ours', 'refused', 'plain-hook'] as const;
export type GatewayVariant = (typeof GATEWAY_VARIANTS)[number];

export interface GatewayTarget extends BrokerUrls {
  readonly variant: GatewayVariant;
  readonly queueType: QueueType;
}

export const statusOf = (variant: GatewayVariant): '202' | '503' =>
  variant === 'none' || variant === 'ours' ? '202' : '503';
