import { type Alert, ALERT_KINDS, type AlertChange, type AlertKind, type QueuePicture } from './alert.js';
import { judgeFilling } from './filling.rule.js';
import { CALM, type HysteresisState, step } from './hysteresis.js';
import { judgeOverflow } from './overflow.rule.js';
import { judgePromise } from './promise.rule.js';
import type { Judgement, Rule } from './rule.js';
import { judgeServiceTime } from './service-time.rule.js';
import { judgeShedding } from './shedding.rule.js';
import { PATIENCE } from './thresholds.js';
import { judgeWorkers } from './workers.rule.js';

const RULES: Readonly<Record<AlertKind, Rule>> = {
  'queue-filling': judgeFilling,
  'promise-broken': judgePromise,
  'service-time-off': judgeServiceTime,
  shedding: judgeShedding,
  'no-workers': judgeWorkers,
  'overflow-wrong': judgeOverflow,
};

const DEFAULT_MAX_QUEUES = 1_000;

interface Entry {
  readonly state: HysteresisState;
  /** While raised. */
  readonly alert: Alert | undefined;
}

type Page = Map<AlertKind, Entry>;

/** What is raised now, of all queues. It only decides; telling people is somebody else's. */
export class AlertBook {
  private readonly pages = new Map<string, Page>();

  /** @param maxQueues queues beyond it are not watched */
  constructor(private readonly maxQueues = DEFAULT_MAX_QUEUES) {}

  get raised(): readonly Alert[] {
    const entries = [...this.pages.values()].flatMap((page) => [...page.values()]);
    return entries.flatMap(({ alert }) => alert ?? []);
  }

  /** Takes a picture in, best once a second, and in order: what was not looked at for 15 s begins its wait anew. @returns what it changed */
  look(picture: QueuePicture): readonly AlertChange[] {
    const page = this.page(picture.queue);
    if (!page) return [];
    return ALERT_KINDS.flatMap((kind) => this.judge(kind, picture, page) ?? []);
  }

  /** The queue is not watched any more. @returns what was raised of it, as cleared */
  forget(queue: string): readonly AlertChange[] {
    const entries = [...(this.pages.get(queue)?.values() ?? [])];
    this.pages.delete(queue);
    const message = `queue ${queue} is not watched any more`;
    return entries.flatMap(({ alert }) => (alert ? clearedWith(alert, message) : []));
  }

  private page(queue: string): Page | undefined {
    const known = this.pages.get(queue);
    if (known) return known;
    if (this.pages.size >= this.maxQueues) return undefined;
    const page: Page = new Map();
    this.pages.set(queue, page);
    return page;
  }

  private judge(kind: AlertKind, picture: QueuePicture, page: Page): AlertChange | undefined {
    const { queue, atMs } = picture;
    const judgement = RULES[kind](picture);
    const { state: before, alert: known } = page.get(kind) ?? { state: CALM, alert: undefined };
    const state = step(before, { mark: judgement.mark, atMs }, PATIENCE[kind]);
    const raisedAtMs = known?.raisedAtMs ?? atMs;
    const alert = state.isRaised ? latest(known, { kind, queue, raisedAtMs }, judgement) : undefined;
    page.set(kind, { state, alert });
    if (alert && !known) return { change: 'raised', alert };
    if (known && !alert) return clearedWith(known, messageOf(judgement));
    return undefined;
  }
}

/** With the values of now, where the picture says that it still is so. */
function latest(known: Alert | undefined, head: Omit<Alert, 'message'>, judgement: Judgement): Alert {
  if (known && judgement.mark !== 'over') return known;
  return { ...head, message: messageOf(judgement) };
}

function clearedWith(alert: Alert, message: string): AlertChange {
  return { change: 'cleared', alert: { ...alert, message } };
}

/** Nothing is raised or cleared by a judgement without a message. */
function messageOf(judgement: Judgement): string {
  return 'message' in judgement ? judgement.message : '';
}
