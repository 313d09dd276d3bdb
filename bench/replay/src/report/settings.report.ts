import type { Settings } from '../options/settings.js';

/** The settings as plain values for the reports. The secret is not among them. */
export function reportSettings(settings: Settings): Record<string, string | number | boolean> {
  const { gateway, amount, arrivals, retry } = settings;
  return {
    url: gateway.origin,
    ratePerSec: settings.ratePerSec,
    ...(amount.kind === 'duration' ? { durationMs: amount.durationMs } : { count: amount.countDeliveries }),
    arrivals: arrivals.kind,
    ...(arrivals.kind === 'poisson' ? { seed: arrivals.seed } : {}),
    connections: settings.maxConnections,
    timeoutMs: settings.requestTimeoutMs,
    maxRetries: retry.kind === 'never' ? 0 : retry.maxRetries,
    graceMs: settings.graceMs,
    signed: settings.secret !== undefined,
    settleTimeoutMs: settings.settleTimeoutMs,
  };
}
