import type { Gateway } from './options/gateway-url.parser.js';

const READY_TIMEOUT_MS = 5_000;

type Readiness =
  | { kind: 'ready' }
  /** Something answers, but not with 200: the run goes on and its numbers will tell. */
  | { kind: 'not-ready'; warning: string }
  | { kind: 'silent'; problem: string };

export async function checkReadiness({ readyUrl, origin }: Gateway): Promise<Readiness> {
  try {
    const response = await fetch(readyUrl, { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    await response.body?.cancel();
    if (response.ok) return { kind: 'ready' };
    return { kind: 'not-ready', warning: `${readyUrl} answers ${response.status}: sending anyway` };
  } catch {
    return {
      kind: 'silent',
      problem: `nothing answers on ${origin}: start it with npm start (in another terminal)`,
    };
  }
}
