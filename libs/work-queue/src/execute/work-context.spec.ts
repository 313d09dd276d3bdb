import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { incoming } from '../../../../test/support/fake-broker.js';
import { WorkContext } from './work-context.js';

function contextOf(headers: Record<string, unknown>): WorkContext {
  return new WorkContext({ queue: 'orders', messageId: 'id-1', message: incoming({ headers }) });
}

describe('a work context', () => {
  it('knows when the message was published, if the publisher said so', () => {
    expect(contextOf({ 'x-sent': 1_700_000_000_000 }).publishedAt).toEqual(new Date(1_700_000_000_000));
  });

  it('knows when the work is no longer worth starting, if the publisher said so', () => {
    expect(contextOf({ 'x-deadline': 1_700_000_000_000 }).deadline).toEqual(new Date(1_700_000_000_000));
    expect(contextOf({}).deadline).toBeUndefined();
  });

  it.each([undefined, null, 'yesterday', Number.NaN, Infinity, 1e300, { '!': 'timestamp', value: 1 }])(
    'makes no date of %p',
    (header) => {
      const { publishedAt, deadline } = contextOf({ 'x-sent': header, 'x-deadline': header });
      expect([publishedAt, deadline]).toEqual([undefined, undefined]);
    },
  );

  it('has a date that can be computed with or none, whatever the header', () => {
    fc.assert(
      fc.property(fc.anything(), (header) => {
        const { deadline } = contextOf({ 'x-deadline': header });
        expect(deadline?.getTime()).not.toBeNaN();
      }),
    );
  });
});
