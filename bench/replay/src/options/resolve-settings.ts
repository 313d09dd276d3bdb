import type { RawOptions } from './command.js';
import { parseGatewayUrl } from './gateway-url.parser.js';
import { combine, invalid, type Parsed, valid } from './parsed.js';
import { parseDurationMs, parseInteger, parseRatePerSec } from './quantity.parser.js';
import type { Amount, Arrivals, RetryPolicy, Settings } from './settings.js';

const MAX_DELIVERIES = 1_000_000;
const MAX_CONNECTIONS = 4_096;
const MAX_SEED = 2 ** 32 - 1;

export type Environment = Readonly<Record<string, string | undefined>>;
export type ResolvedSettings = { ok: true; settings: Settings } | { ok: false; problems: string[] };

/** Turns the raw options and the environment into settings, or into all that is wrong with them, one line each. */
export function resolveSettings(raw: RawOptions, env: Environment): ResolvedSettings {
  const fields = combine({
    extra: parseNoExtra(raw),
    gateway: parseGatewayUrl({
      field: '--url',
      given: raw.url ?? `http://127.0.0.1:${given(env.PORT) ?? '3000'}`,
    }),
    ratePerSec: parseRatePerSec({ field: '--rate', given: raw.rate }),
    amount: parseAmount(raw),
    arrivals: parseArrivals(raw),
    maxConnections: parseInteger(
      { field: '--connections', given: raw.connections },
      { min: 1, max: MAX_CONNECTIONS },
    ),
    requestTimeoutMs: parseDurationMs({ field: '--timeout', given: raw.timeout }, { minMs: 1 }),
    retry: parseRetry(raw),
    graceMs: parseDurationMs({ field: '--grace', given: raw.grace }, { minMs: 0 }),
    settleTimeoutMs: parseDurationMs({ field: '--settle-timeout', given: raw.settleTimeout }, { minMs: 0 }),
  });
  if (!fields.ok) return fields;
  const oversize = describeOversize(fields.values.ratePerSec, fields.values.amount);
  if (oversize !== undefined) return { ok: false, problems: [oversize] };
  const { extra: _none, ...values } = fields.values;
  const secret = given(raw.secret) ?? given(env.GITHUB_WEBHOOK_SECRET);
  return { ok: true, settings: { ...values, secret, isRowCheckWanted: raw.rows, isJson: raw.json ?? false } };
}

/** An empty variable or option counts as not given. */
function given(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}

function parseNoExtra({ extra }: RawOptions): Parsed<undefined> {
  if (extra.length === 0) return valid(undefined);
  return invalid({ field: 'arguments', given: extra.join(' ') }, 'options only, such as --rate 200');
}

function parseAmount({ duration, count }: RawOptions): Parsed<Amount> {
  if (count === undefined) {
    const parsed = parseDurationMs({ field: '--duration', given: duration ?? '10s' }, { minMs: 1 });
    return parsed.ok ? valid({ kind: 'duration', durationMs: parsed.value }) : parsed;
  }
  if (duration !== undefined)
    return invalid({ field: '--count', given: count }, 'either --count or --duration, not both');
  const parsed = parseInteger({ field: '--count', given: count }, { min: 1, max: MAX_DELIVERIES });
  return parsed.ok ? valid({ kind: 'count', countDeliveries: parsed.value }) : parsed;
}

function parseArrivals({ arrivals, seed }: RawOptions): Parsed<Arrivals> {
  if (arrivals === 'poisson') {
    const parsed = parseInteger({ field: '--seed', given: seed ?? '1' }, { min: 0, max: MAX_SEED });
    return parsed.ok ? valid({ kind: 'poisson', seed: parsed.value }) : parsed;
  }
  if (arrivals !== 'constant')
    return invalid({ field: '--arrivals', given: arrivals }, 'constant or poisson');
  if (seed !== undefined) return invalid({ field: '--seed', given: seed }, '--arrivals poisson beside it');
  return valid({ kind: 'constant' });
}

function parseRetry({ retry, maxRetries }: RawOptions): Parsed<RetryPolicy> {
  if (retry !== true && maxRetries !== undefined) {
    return invalid({ field: '--max-retries', given: maxRetries }, '--retry beside it');
  }
  if (retry !== true) return valid({ kind: 'never' });
  const parsed = parseInteger({ field: '--max-retries', given: maxRetries ?? '5' }, { min: 1, max: 100 });
  return parsed.ok ? valid({ kind: 'retry-after', maxRetries: parsed.value }) : parsed;
}

function describeOversize(ratePerSec: number, amount: Amount): string | undefined {
  if (amount.kind === 'count') return undefined;
  const durationSec = amount.durationMs / 1_000;
  const planned = ratePerSec * durationSec;
  if (planned <= MAX_DELIVERIES) return undefined;
  const given = `${ratePerSec}/s x ${durationSec} s = ${planned}`;
  return invalid({ field: '--rate x --duration', given }, `at most ${MAX_DELIVERIES} deliveries`).problem;
}
