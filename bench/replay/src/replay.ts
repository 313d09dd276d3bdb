import { pause, systemClock } from './clock.js';
import type { Interrupts } from './interrupts.js';
import type { Environment } from './options/resolve-settings.js';
import type { Settings } from './options/settings.js';
import { loadExamplePayloads } from './payloads/example-payloads.js';
import { rowProgress } from './progress/row-progress.js';
import { showSendProgress } from './progress/send-progress.js';
import { checkReadiness } from './readiness.js';
import { describeMachine } from './report/machine.js';
import { exitCodeOf, type ReplayResult } from './report/replay-result.js';
import { checkRows, type RowCheck } from './rows/check-rows.js';
import { locateDatabase } from './rows/database-location.js';
import { describeError } from './rows/describe-error.js';
import { openRowStore } from './rows/open-row-store.js';
import { Reconciliation } from './rows/reconciliation.js';
import { planSends } from './schedule/send-plan.js';
import { Ledger } from './send/ledger.js';
import { sendExamples } from './send/send-examples.js';

interface ReplayContext {
  settings: Settings;
  env: Environment;
  interrupts: Interrupts;
  /** Where progress and warnings go. */
  notices: NodeJS.WriteStream;
  printReport: (result: ReplayResult) => void;
}

interface Traffic extends Pick<
  ReplayResult,
  'ledger' | 'durationMs' | 'startedAtEpochMs' | 'generatorCpuPercent'
> {}

/** One run: is the gateway there, send by the plan, wait for the rows, report. Returns the exit code. */
export async function replay(context: ReplayContext): Promise<0 | 1> {
  const { settings, interrupts, printReport } = context;
  if (!(await isGatewayThere(context))) return 1;
  await warnWithoutDatabase(context);
  const traffic = await sendPhase(context);
  const rowCheck = await rowPhase(context, traffic);
  const { wasInterrupted } = interrupts;
  printReport({ settings, machine: describeMachine(), ...traffic, wasInterrupted, rowCheck });
  return exitCodeOf(rowCheck);
}

async function isGatewayThere({ settings, notices }: ReplayContext): Promise<boolean> {
  const readiness = await checkReadiness(settings.gateway);
  if (readiness.kind === 'silent') notices.write(`${readiness.problem}\n`);
  if (readiness.kind === 'not-ready') notices.write(`${readiness.warning}\n`);
  return readiness.kind !== 'silent';
}

/** Said before the sending, not after it; the worker may still come, so the run goes on. */
async function warnWithoutDatabase({ settings, env, notices }: ReplayContext): Promise<void> {
  if (!settings.isRowCheckWanted) return;
  await locateDatabase(env).catch((error: unknown) => {
    notices.write(`rows cannot be checked so far: ${describeError(error)}\n`);
  });
}

async function sendPhase({ settings, interrupts, notices }: ReplayContext): Promise<Traffic> {
  const ledger = new Ledger();
  const plan = planSends(settings);
  const payloads = loadExamplePayloads(settings.secret);
  const isBar = notices.isTTY && !settings.isJson;
  const hideProgress = showSendProgress({
    ledger,
    plannedDeliveries: plan.timesMs.length,
    stream: notices,
    isBar,
  });
  const cpuBefore = process.cpuUsage();
  const stop = interrupts.nextPhase();
  const phase = await sendExamples({ settings, plan, payloads, ledger, clock: systemClock, stop });
  const cpu = process.cpuUsage(cpuBefore);
  hideProgress();
  const generatorCpuPercent = Math.round((cpu.user + cpu.system) / (10 * Math.max(1, phase.durationMs)));
  return {
    ledger,
    durationMs: phase.durationMs,
    startedAtEpochMs: systemClock.epochMsOf(phase.startedAtMs),
    generatorCpuPercent,
  };
}

async function rowPhase(context: ReplayContext, { ledger, startedAtEpochMs }: Traffic): Promise<RowCheck> {
  const { settings, env, interrupts, notices } = context;
  if (!settings.isRowCheckWanted) return { kind: 'not-wanted' };
  const reconciliation = new Reconciliation(onWallClock(ledger.acceptedPlannedAtMs, startedAtEpochMs));
  const store = openRowStore(env);
  const onPass = rowProgress({
    reconciliation,
    clock: systemClock,
    write: (line) => notices.write(`${line}\n`),
  });
  const { settleTimeoutMs } = settings;
  const wait = {
    reconciliation,
    store,
    clock: systemClock,
    pause,
    settleTimeoutMs,
    signal: interrupts.nextPhase(),
    onPass,
  };
  try {
    return await checkRows(wait, ledger);
  } finally {
    await store.close();
  }
}

function onWallClock(
  plannedAtMs: ReadonlyMap<string, number>,
  startedAtEpochMs: number,
): Map<string, number> {
  return new Map([...plannedAtMs].map(([id, atMs]) => [id, startedAtEpochMs + atMs]));
}
