import { describe, expect, it } from '@jest/globals';
import { describeFileOptions, describeQueueOptions } from './describe-options.js';
import { resolveQueueQos } from './resolve-queue-qos.js';

describe('the documentation of the options', () => {
  it('names every option of a queue as it stands in a file', () => {
    expect(describeQueueOptions().map(({ name }) => name)).toEqual([
      'maxLatency',
      'serviceTime',
      'serviceTimeCv',
      'workers',
      'concurrency',
      'prefetch',
      'rate',
      'gateways',
      'type',
      'overflow',
      'maxLength',
      'maxWaiting',
      'window',
      'windowBytes',
      'alertAt',
      'shedLowAt',
      'maxAttempts',
      'backoff.initial',
      'backoff.max',
      'backoff.multiplier',
      'breakAfter',
      'timeout',
      'timeoutGrace',
    ]);
  });

  it('says of every option that is not a choice what goes wrong when it is too low or too high', () => {
    const incomplete = describeQueueOptions()
      .filter(({ type }) => type !== 'choice')
      .filter(({ tooLow, tooHigh }) => tooLow === undefined || tooHigh === undefined);
    expect(incomplete).toEqual([]);
  });

  it('knows which options can be changed while everything runs', () => {
    const fixed = describeQueueOptions().filter(({ isLive }) => !isLive);
    expect(fixed.map(({ name }) => name)).toEqual([
      'type',
      'overflow',
      'maxAttempts',
      'backoff.initial',
      'backoff.max',
      'backoff.multiplier',
      'timeout',
      'timeoutGrace',
    ]);
  });

  it('shows type, default and range as they are enforced', () => {
    const prefetch = describeQueueOptions().find(({ name }) => name === 'prefetch');
    expect(prefetch).toMatchObject({
      type: 'integer (messages)',
      default: 'the same as `concurrency`; 10 if neither is given',
      range: '1 to 65535',
    });
    expect(resolveQueueQos('jobs', { maxLength: 1 })).toMatchObject({ qos: { prefetch: 10 } });
  });

  it('says what holds for an option that may stay out', () => {
    const rate = describeQueueOptions().find(({ name }) => name === 'rate');
    expect(rate).toMatchObject({
      type: 'rate',
      default: 'no limit',
      range: 'more than 0/s, at most 1000000/s',
    });
  });

  it('covers the top of the file', () => {
    expect(describeFileOptions().map((option) => [option.name, option.default])).toEqual([
      ['limits', '`policy`'],
      ['queues', 'required'],
    ]);
  });
});
