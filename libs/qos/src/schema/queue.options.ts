import type { QueueType } from '../limit.js';
import { sizeQueue } from '../sizing.js';
import { choice, integer, number } from './kind.js';
import type { OptionDeclaration } from './option.js';
import { completeSizing } from './sizing-draft.js';

export type Overflow = 'reject-publish' | 'drop-head';

export type Paused = 'no' | 'hold' | 'refuse';

export const type: OptionDeclaration<QueueType> = {
  name: 'type',
  kind: choice({ values: ['quorum', 'classic'] }),
  whenAbsent: { use: 'quorum' },
  doc: [
    'Kind of RabbitMQ queue, fixed when the queue is created.',
    'A quorum queue is replicated and, with `reject-publish`, loses nothing that was confirmed.',
    'Its limit overshoots by at most the unconfirmed publishes, and once full it reopens at 80 %.',
    'A classic queue keeps its limit exactly and reopens at the first free place, but it can lose confirmed messages.',
    'It lives on one node and dies with that node.',
    'When the broker restarts while ready and unacked messages together exceed `maxLength`, the oldest are dropped:',
    'exactly the ones in flight, which reach the dead-letter queue as `maxlen`.',
    'And a first length policy drops the oldest messages at once if the queue was declared without `x-overflow`,',
    'which is why Spillway always declares it and touches no queue that lacks it.',
  ],
};

export const overflow: OptionDeclaration<Overflow> = {
  name: 'overflow',
  kind: choice({
    values: ['reject-publish', 'drop-head'],
    refused: {
      'reject-publish-dlx':
        'reject-publish-dlx is refused: on a quorum queue it acts as drop-head and drops confirmed messages silently',
    },
  }),
  whenAbsent: { use: 'reject-publish' },
  doc: [
    'What a full queue does.',
    '`reject-publish` refuses new work, so that whoever sent it knows.',
    '`drop-head` drops the oldest work instead: for feeds whose source cannot be slowed and where the newest matters.',
    'Its answers carry `mayBeDropped: true`, and the dead-letter queue counts what was dropped as `maxlen`.',
    '`reject-publish-dlx` is refused, because on a quorum queue it drops confirmed messages silently.',
  ],
};

export const maxLength: OptionDeclaration<number> = {
  name: 'maxLength',
  kind: integer({ min: 1, max: 1_000_000_000 }),
  unit: 'ready messages',
  live: true,
  whenAbsent: {
    rule: 'sized so that `maxLatency` holds',
    derive: (draft) => {
      const sizing = completeSizing(draft);
      const fitting = sizing === undefined ? 0 : sizeQueue(sizing).maxLength;
      return fitting >= 1 ? fitting : undefined;
    },
  },
  doc: [
    'Sets the limit outright instead of deriving it from `maxLatency`.',
    '`maxLatency` and `serviceTime` may then be absent.',
    'Without `serviceTime` the drain rate is unknown,',
    'and a refused client is asked to come back as if there were room again after one second.',
  ],
  tooLow: 'bursts are refused that the workers could have absorbed in time.',
  tooHigh: 'accepted work waits longer than anybody wants its result.',
};

export const maxWaiting: OptionDeclaration<number> = {
  name: 'maxWaiting',
  kind: integer({ min: 1, max: 1_000_000_000 }),
  unit: 'messages',
  live: true,
  whenAbsent: { rule: 'the same as `maxLength`', derive: (draft) => draft.maxLength },
  doc: [
    'Messages of this queue that may be waiting for their next attempt, or are due for it again.',
    'At the bound the workers take no new work from the queue, so that it fills and the gateways refuse:',
    'otherwise an outage of the downstream would make a backlog without end while every request is accepted.',
  ],
  tooLow: 'a few failing jobs keep the workers from work that would succeed.',
  tooHigh: 'an outage of the downstream leaves a backlog that takes long to work off after it.',
};

export const alertAt: OptionDeclaration<number> = {
  name: 'alertAt',
  kind: { ...number({ min: 0.01, max: 1 }), type: 'ratio' },
  live: true,
  whenAbsent: { use: 0.7 },
  doc: ['Share of `maxLength` at which operators are alerted, before anybody is refused.'],
  tooLow: 'alerts during ordinary bursts, until nobody reads them.',
  tooHigh: 'the alert comes with the first refusal instead of before it.',
};

export const shedLowAt: OptionDeclaration<number> = {
  name: 'shedLowAt',
  kind: { ...number({ min: 0.01, max: 1 }), type: 'ratio' },
  live: true,
  whenAbsent: { use: 0.8 },
  doc: [
    'Share of `maxLength` from which work published with priority `low` is refused,',
    'so that a burst of bulk work never costs the important requests their place.',
    '1 makes no difference between the two.',
  ],
  tooLow: 'bulk work is refused while there is room.',
  tooHigh: 'bulk work fills the queue before anything is kept for the rest.',
};

export const paused: OptionDeclaration<Paused> = {
  name: 'paused',
  kind: choice({ values: ['no', 'hold', 'refuse'] }),
  live: true,
  onlyLive: true,
  whenAbsent: { use: 'no' },
  doc: [
    'Stops the work without stopping a process.',
    '`hold`: the workers take nothing, while the gateways accept until the queue is full.',
    '`refuse`: moreover the gateways answer 503 `paused` to everything.',
    'What was accepted stays in the queue, and its latency runs on.',
  ],
};
