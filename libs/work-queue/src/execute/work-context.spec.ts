import { describe, expect, it } from '@jest/globals';
import { incoming } from '../../../../test/support/fake-broker.js';
import { WorkContext } from './work-context.js';

function contextOf(headers: Record<string, unknown>): WorkContext {
  return new WorkContext({ queue: 'orders', messageId: 'id-1', message: incoming({ headers }) });
}

describe('a work context', () => {
  it('knows when the message was published, if the publisher said so', () => {
    expect(contextOf({ 'x-published-at': 1_700_000_000_000 }).publishedAt).toEqual(
      new Date(1_700_000_000_000),
    );
  });

  it.each([undefined, null, 'yesterday', Number.NaN, { '!': 'timestamp', value: 1 }])(
    'makes no date of %p',
    (header) => {
      expect(contextOf({ 'x-published-at': header }).publishedAt).toBeUndefined();
    },
  );
});
