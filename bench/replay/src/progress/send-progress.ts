import { Presets, SingleBar } from 'cli-progress';

import type { Ledger } from '../send/ledger.js';

const BAR_INTERVAL_MS = 200;
const LINE_INTERVAL_MS = 3_000;
const BAR_FORMAT = 'sending {bar} {value}/{total}  accepted {accepted}  rejected {rejected}  {rate}/s';

interface SendProgressOptions {
  ledger: Ledger;
  plannedDeliveries: number;
  stream: NodeJS.WriteStream;
  /** A bar that redraws itself, or a plain line now and then. */
  isBar: boolean;
}

/** Shows how the sending goes until the returned function is called. */
export function showSendProgress(options: SendProgressOptions): () => void {
  return options.isBar ? showBar(options) : showLines(options);
}

function showBar({ ledger, plannedDeliveries, stream }: SendProgressOptions): () => void {
  const bar = new SingleBar(
    { format: BAR_FORMAT, barsize: 24, stream, hideCursor: true },
    Presets.shades_classic,
  );
  const rateOf = rateMeter();
  const update = (): void => {
    const { accepted, rejected, sent } = ledger;
    bar.update(sent, { accepted, rejected, rate: rateOf(sent) });
  };
  bar.start(plannedDeliveries, 0, { accepted: 0, rejected: 0, rate: 0 });
  const timer = setInterval(update, BAR_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    update();
    bar.stop();
  };
}

function showLines({ ledger, plannedDeliveries, stream }: SendProgressOptions): () => void {
  const rateOf = rateMeter();
  const timer = setInterval(() => {
    const { accepted, rejected, unknown, sent } = ledger;
    const ends = `accepted ${accepted}, rejected ${rejected}, unknown ${unknown}`;
    stream.write(`sent ${sent}/${plannedDeliveries} (${rateOf(sent)}/s), ${ends}\n`);
  }, LINE_INTERVAL_MS);
  return () => clearInterval(timer);
}

/** Deliveries per second since the start of the meter. */
function rateMeter(): (sent: number) => number {
  const startedAtMs = performance.now();
  return (sent) => Math.round((sent * 1_000) / Math.max(1, performance.now() - startedAtMs));
}
