import { handlerCount } from '../sizing.js';
import { defaultWindow } from '../window.js';
import { integer } from './kind.js';
import type { OptionDeclaration } from './option.js';

const KIB = 1_024;
const MIB = 1_024 * KIB;
const GIB = 1_024 * MIB;

export const gateways: OptionDeclaration<number> = {
  name: 'gateways',
  kind: integer({ min: 1, max: 10_000 }),
  unit: 'processes',
  live: true,
  whenAbsent: { use: 1 },
  doc: [
    'Gateway processes that publish to this queue.',
    'On a quorum queue each one can overshoot the limit by its `window`.',
  ],
  tooLow: 'the overshoot of the gateways that were not counted breaks the promised latency.',
  tooHigh: 'the queue is sized for windows nobody uses, and refuses too early.',
};

export const window: OptionDeclaration<number> = {
  name: 'window',
  kind: integer({ min: 1, max: 10_000 }),
  unit: 'unconfirmed publishes',
  live: true,
  whenAbsent: {
    rule: 'max(1, min(100, floor(max(handlers, 0.1 x maxLength) / gateways)))',
    derive: (draft) => {
      const { maxLength, workers, concurrency, fleetConcurrency, gateways } = draft;
      if (maxLength === undefined || gateways === undefined) return undefined;
      if (workers === undefined || concurrency === undefined) return undefined;
      const handlers = handlerCount({ workers, concurrency, fleetConcurrency });
      return defaultWindow({ maxLength, handlers, gateways });
    },
  },
  doc: ['Publishes of one gateway to this queue that may be waiting for the confirm of the broker.'],
  tooLow: 'requests are refused as `gateway-busy` although the queue has room.',
  tooHigh:
    'on a quorum queue `gateways` x `window` messages can land after it is full; it is sized shorter by as many.',
};

export const windowBytes: OptionDeclaration<number> = {
  name: 'windowBytes',
  // No less than 1 KiB, so that a number that was meant as MiB is refused.
  kind: integer({ min: KIB, max: GIB }),
  unit: 'bytes',
  live: true,
  whenAbsent: { use: 8 * MIB },
  doc: [
    'Bytes in the publishes of one gateway to this queue that may be waiting for the confirm of the broker.',
    'A single message larger than this is still let through when nothing else is outstanding.',
    'The default is 8 MiB.',
  ],
  tooLow: 'large messages are published one after another.',
  tooHigh: 'a stalled broker makes each gateway hold that much more memory.',
};
