import type { QueueType } from '../broker/bench-vhost.js';

/** What everybody does at a time. */
export interface Scenario {
  readonly name: string;
  readonly kind: 'pipelined' | 'serial';
  readonly queueType: QueueType;
  readonly window: number;
  readonly bodyBytes: number;
}

const PIPELINED_BYTES = 300;
/** Over one TCP segment's worth of amqplib's copy limit: two writes, which Nagle's algorithm holds apart. */
const SERIAL_BYTES = 8_192;

export function scenariosOf(queueTypes: readonly QueueType[], windows: readonly number[]): Scenario[] {
  const pipelined = queueTypes.flatMap((queueType) =>
    windows.map((window): Scenario => ({
      name: `${queueType}, 300 B, window ${window}`,
      kind: 'pipelined',
      queueType,
      window,
      bodyBytes: PIPELINED_BYTES,
    })),
  );
  const [queueType = 'classic'] = queueTypes;
  const serial: Scenario = {
    name: `${queueType}, 8 KB, one at a time, everybody's defaults`,
    kind: 'serial',
    queueType,
    window: 1,
    bodyBytes: SERIAL_BYTES,
  };
  return [...pipelined, serial];
}
