import { describe, expect, it } from '@jest/globals';
import { explain } from './explain.js';
import { resolveQueueQos } from './schema/resolve-queue-qos.js';

const sized = { maxLatency: '1s', serviceTime: '50ms', concurrency: 10 };

describe('explain', () => {
  it('shows the whole arithmetic of a classic queue', () => {
    expect(explained({ ...sized, type: 'classic' })).toBe(
      '127 = 127 (jobs that fit a p99 sojourn of 1000 ms) - 0 prefetched beyond the handlers; ' +
        '127 = floor(127.67), 127.67 = ((sqrt(a^2 + 4b) - a) / 2)^2, a = 2.326 x cv 1 = 2.326, ' +
        'b = (1000 ms - 230.26 ms own service time p99) x 10 handlers / 50 ms = 153.95; ' +
        'drains 200/s (10 handlers / 50 ms), a full queue in 635 ms',
    );
  });

  it('shows the windows that a quorum queue has to leave room for', () => {
    expect(explained({ ...sized, gateways: 2, prefetch: 12 })).toContain(
      '115 = 127 (jobs that fit a p99 sojourn of 1000 ms) - 2 prefetched beyond the handlers ' +
        '- 10 unconfirmed (2 gateways x window 5); 127 = floor(127.67)',
    );
  });

  it('accounts for a place that stays free because of the window formula', () => {
    expect(explained({ ...sized, prefetch: 17 })).toContain(
      '109 = 127 (jobs that fit a p99 sojourn of 1000 ms) - 7 prefetched beyond the handlers ' +
        '- 10 unconfirmed (1 gateway x window 10) - 1 spare (a longer queue would get a wider window)',
    );
  });

  it('says how fast a limit that was set outright drains, and how far it can overshoot', () => {
    expect(explained({ maxLength: 5, serviceTime: '50ms' })).toBe(
      '5 = set outright by maxLength; drains 200/s (10 handlers / 50 ms), a full queue in 25 ms; ' +
        'up to 10 unconfirmed more can land after it is full (1 gateway x window 10)',
    );
  });

  it('says that the drain rate is unknown without a service time', () => {
    expect(explained({ maxLength: 5, type: 'classic' })).toBe(
      '5 = set outright by maxLength; drain rate unknown without serviceTime',
    );
  });

  it('never rounds the jobs up to the next integer', () => {
    const text = explained({
      maxLatency: '199.999ms',
      serviceTime: '20ms',
      serviceTimeCv: 0,
      type: 'classic',
      concurrency: 1,
    });
    expect(text).toContain('8 = floor(8.99)');
  });
});

function explained(input: object): string {
  const result = resolveQueueQos('jobs', input);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return explain(result.qos);
}
