import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { settled } from '../../../../../test/support/fake-broker.js';
import type { ConfirmAnswer } from '../broker.port.js';
import { ConfirmTags } from './confirm-tags.js';

let tags: ConfirmTags;

beforeEach(() => {
  tags = new ConfirmTags();
});

/** One publish, with all the answers it got. */
interface Published {
  readonly messageId: string;
  readonly publishId: string | undefined;
  readonly answers: ConfirmAnswer[];
}

/** As a channel does it: ask for an id, write, add. */
function publish(messageId: string): Published {
  return add(messageId, false);
}

function add(messageId: string, isUnique: boolean): Published {
  const answers: ConfirmAnswer[] = [];
  const publishId = tags.publishIdFor(messageId, isUnique);
  tags.add({ messageId, answered: (answer) => answers.push(answer) }, isUnique, publishId);
  return { messageId, publishId, answers };
}

function isReturned({ messageId, publishId }: Published): void {
  tags.markReturned(messageId, publishId);
}

describe('a confirm', () => {
  it('means the publish of its number, in whatever order', () => {
    const sent = ['a', 'b', 'c'].map((id) => publish(id));
    tags.confirmed(3, false, 'nacked');
    tags.confirmed(1, false, 'acked');
    expect(sent.map(({ answers }) => answers)).toEqual([['acked'], [], ['nacked']]);
  });

  it('of several means all up to its number that have none yet', () => {
    const sent = ['a', 'b', 'c', 'd'].map((id) => publish(id));
    tags.confirmed(2, false, 'nacked');
    tags.confirmed(3, true, 'acked');
    expect(sent.map(({ answers }) => answers)).toEqual([['acked'], ['nacked'], ['acked'], []]);
  });

  it('that comes twice changes nothing', () => {
    const sent = ['a', 'b'].map((id) => publish(id));
    for (const isMultiple of [false, false, true]) tags.confirmed(1, isMultiple, 'acked');
    expect(sent.map(({ answers }) => answers)).toEqual([['acked'], []]);
  });
});

describe('a returned message', () => {
  it('is returned, though it is acked as well', () => {
    const sent = ['a', 'b'].map((id) => publish(id));
    if (sent[1]) isReturned(sent[1]);
    tags.confirmed(2, true, 'acked');
    expect(sent.map(({ answers }) => answers)).toEqual([['acked'], ['returned']]);
  });

  it('is told from others with its message id, which get an id of their own', () => {
    const sent = ['a', 'a', 'a'].map((id) => publish(id));
    expect(sent.map(({ publishId }) => publishId)).toEqual([undefined, '2', '3']);
    if (sent[1]) isReturned(sent[1]);
    tags.confirmed(3, true, 'acked');
    expect(sent.map(({ answers }) => answers)).toEqual([['acked'], ['returned'], ['acked']]);
  });

  it('is found by an id that nothing else has, also among those that may repeat', () => {
    const unique = add('u', true);
    const sent = [publish('a'), unique, publish('a')];
    isReturned(unique);
    tags.confirmed(3, true, 'acked');
    expect(sent.map(({ answers }) => answers)).toEqual([['acked'], ['returned'], ['acked']]);
  });

  it('costs the next one with its message id nothing', () => {
    isReturned(publish('a'));
    tags.confirmed(1, false, 'acked');
    const next = publish('a');
    expect(next.publishId).toBeUndefined();
    tags.confirmed(2, false, 'acked');
    expect(next.answers).toEqual(['acked']);
  });
});

describe('a channel that ends', () => {
  it('loses what is outstanding and nothing else', () => {
    const sent = ['a', 'b', 'b'].map((id) => publish(id));
    tags.confirmed(2, false, 'acked');
    if (sent[2]) isReturned(sent[2]);
    tags.lose();
    tags.lose();
    expect(sent.map(({ answers }) => answers)).toEqual([['lost'], ['acked'], ['lost']]);
    expect(['a', 'b'].map((id) => tags.publishIdFor(id, false))).toEqual([undefined, undefined]);
  });

  it.each([
    ['the last confirm', () => tags.confirmed(2, true, 'acked')],
    ['its end', () => tags.lose()],
  ])('is idle when nothing is sent, and otherwise after %s', async (_what, happen) => {
    await tags.idle();
    ['a', 'b'].map((id) => publish(id));
    let isIdle = false;
    void tags.idle().then(() => (isIdle = true));
    tags.confirmed(1, false, 'acked');
    await settled();
    expect(isIdle).toBe(false);
    happen();
    await settled();
    expect(isIdle).toBe(true);
  });
});

const IDS = ['a', 'b', 'c'];

/** What the broker and its clients do, for a while. */
class Exchange {
  readonly all: Array<Published & { readonly expected: ConfirmAnswer[]; wasReturned: boolean }> = [];

  publish(messageId: string): void {
    this.all.push({ ...publish(messageId), expected: [], wasReturned: false });
  }

  return(which: number): void {
    const candidates = this.outstanding.filter(({ wasReturned }) => !wasReturned);
    const one = candidates[which % Math.max(1, candidates.length)];
    if (!one) return;
    one.wasReturned = true;
    isReturned(one);
  }

  confirm(which: number, isMultiple: boolean, answer: 'acked' | 'nacked'): void {
    const last = this.outstanding[which % Math.max(1, this.outstanding.length)];
    if (!last) return;
    const index = this.all.indexOf(last);
    const meant = isMultiple ? this.outstanding.filter((one) => this.all.indexOf(one) <= index) : [last];
    for (const { expected, wasReturned } of meant) expected.push(wasReturned ? 'returned' : answer);
    tags.confirmed(index + 1, isMultiple, answer);
  }

  get outstanding(): Exchange['all'] {
    return this.all.filter(({ expected }) => expected.length === 0);
  }

  /** A return names one publish, or it would be taken for another's. */
  get namesTwice(): string[] {
    const names = this.outstanding.map(({ messageId, publishId }) => `${publishId} ${messageId}`);
    return names.filter((name, index) => names.indexOf(name) !== index);
  }
}

function answersOf({ all }: Exchange): unknown {
  return all.map(({ answers }) => answers);
}

function expectedOf({ all }: Exchange): unknown {
  return all.map(({ expected }) => expected);
}

describe('publishes on one channel', () => {
  it('are answered exactly once and rightly each, whatever is confirmed when, and leave nothing behind', async () => {
    const which = fc.nat(50);
    const answer = fc.constantFrom<'acked' | 'nacked'>('acked', 'nacked');
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.record({ publish: fc.constantFrom(...IDS) }) },
      { weight: 1, arbitrary: fc.record({ return: which }) },
      { weight: 2, arbitrary: fc.record({ confirm: which, isMultiple: fc.boolean(), answer }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        tags = new ConfirmTags();
        const exchange = new Exchange();
        for (const taken of steps) {
          if ('publish' in taken) exchange.publish(taken.publish);
          else if ('return' in taken) exchange.return(taken.return);
          else exchange.confirm(taken.confirm, taken.isMultiple, taken.answer);
          expect(answersOf(exchange)).toEqual(expectedOf(exchange));
          expect(exchange.namesTwice).toEqual([]);
        }
        while (exchange.outstanding.length > 0) exchange.confirm(steps.length, false, 'acked');
        await tags.idle();
        // Ids are free again, and no return is left to be taken for one of the next.
        for (const id of IDS) {
          exchange.publish(id);
          expect(exchange.all.at(-1)?.publishId).toBeUndefined();
          exchange.confirm(0, true, 'acked');
        }
        expect(answersOf(exchange)).toEqual(expectedOf(exchange));
      }),
    );
  });
});
