import { describe, expect, it } from '@jest/globals';
import { validateSync } from 'class-validator';
import { githubEventCodec } from './github-event.codec.js';
import { GithubEvent } from './github-event.js';

const BODY = Buffer.from('{"action":"opened"}');

describe('a GitHub event in a message', () => {
  it.each([{ action: 'opened' }, { action: undefined }])('comes back as it was, with %j', (fields) => {
    const event = new GithubEvent({ deliveryId: 'd-1', event: 'issues', body: BODY, ...fields });
    const { headers } = githubEventCodec.encode(event);
    expect(githubEventCodec.decode({ body: BODY, headers })).toEqual(event);
  });

  it('carries the delivery id in a header of its own, as its message id is a hash', () => {
    const event = new GithubEvent({ deliveryId: 'd-1', event: 'push', body: BODY });
    expect(githubEventCodec.encode(event).headers).toMatchObject({ 'x-github-delivery': 'd-1' });
  });

  it('is not valid without its delivery id', () => {
    const event = githubEventCodec.decode({ body: BODY, headers: { 'x-github-event': 'push' } });
    expect(validateSync(event).map(({ property }) => property)).toEqual(['deliveryId']);
  });
});
