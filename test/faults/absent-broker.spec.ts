import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { flood, RSS_GROWTH_MIB } from '../support/flood.js';
import { StallingProxy } from '../support/stalling-proxy.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

describe('a broker that is gone', () => {
  let vhost: TestVhost;
  let proxy: StallingProxy;

  beforeEach(async () => {
    vhost = await createVhost();
    proxy = await StallingProxy.open(vhost.url);
  });

  afterEach(async () => {
    await proxy.close();
    await vhost.delete();
  });

  it('has 100,000 publishes refused within 50 ms, and memory stays flat', async () => {
    const { managementUrl } = vhost;
    const result = await flood({ url: proxy.url, managementUrl }, 'broker-unavailable', () => proxy.close());
    expect(result.outcomes).toEqual({ 'broker-unavailable': 100_000 });
    expect(result.p99Ms).toBeLessThanOrEqual(50);
    expect(result.heapGrowthMiB).toBeLessThan(3);
    expect(result.rssGrowthMiB).toBeLessThan(RSS_GROWTH_MIB);
  }, 60_000);
});
