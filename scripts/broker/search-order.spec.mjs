import { describe, expect, it } from '@jest/globals';
import { searchOrder } from './search-order.mjs';

const URL = 'amqp://broker.example';

describe('the order of the search for a broker', () => {
  it('is nothing but RABBITMQ_URL if that is set', () => {
    expect(searchOrder({ RABBITMQ_URL: URL, RABBITMQ_MANAGEMENT_URL: 'http://broker.example' })).toEqual({
      kind: 'external',
      url: URL,
      managementUrl: 'http://broker.example',
    });
  });

  it('does not make up a management URL for it', () => {
    expect(searchOrder({ RABBITMQ_URL: URL })).toEqual({
      kind: 'external',
      url: URL,
      managementUrl: undefined,
    });
  });

  it('is nothing but the unpacked version if RABBITMQ_VERSION is set', () => {
    expect(searchOrder({ RABBITMQ_VERSION: '4.3' })).toEqual({ kind: 'version', version: '4.3' });
  });

  it('refuses both at once and names both', () => {
    const both = () => searchOrder({ RABBITMQ_URL: URL, RABBITMQ_VERSION: '4.0' });
    expect(both).toThrow(/RABBITMQ_URL .* RABBITMQ_VERSION=4\.0/);
  });

  it('tries Docker, then what is on the machine, and changes the machine last', () => {
    expect(searchOrder({ RABBITMQ_URL: '', RABBITMQ_VERSION: '' })).toEqual({
      kind: 'search',
      ways: ['container', 'installed', 'unpacked-before', 'install', 'unpack'],
    });
  });
});
