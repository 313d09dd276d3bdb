import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingTelemetry } from '../../../../test/support/fake-broker.js';
import { PlanCache } from './plan-cache.js';
import type { PlacedEntry } from './plan-fold.js';

const SOURCE = { broker: 'broker:5672', vhost: '/', stream: 'spillway.plan' };

let folder: string;
let telemetry: RecordingTelemetry;
let cache: PlanCache;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-cache-'));
  telemetry = new RecordingTelemetry();
  cache = new PlanCache(folder, SOURCE, telemetry);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function placed(offset: number): PlacedEntry {
  const texts = { id: `id-${offset}`, logId: 'log-1', author: 'ada', reason: 'slow', change: 'c' };
  return { offset, entry: { ...texts, basedOn: offset - 1, at: 1, overrides: { orders: { prefetch: 20 } } } };
}

function reasons(): string[] {
  return telemetry.named('plan.cache-failed').map(({ reason }) => reason);
}

/** What is in the file, changed. */
async function overwrite(change: object): Promise<void> {
  await cache.save(placed(3));
  const content: unknown = JSON.parse(await readFile(cache.path, 'utf8'));
  await writeFile(cache.path, JSON.stringify({ ...Object(content), ...change }));
}

describe('a cached plan', () => {
  it('is read as it was saved, by another process too', async () => {
    await cache.save(placed(3));
    expect(await new PlanCache(folder, SOURCE, telemetry).load()).toEqual(placed(3));
    expect(telemetry.events).toEqual([]);
  });

  it('is none before the first, and nobody has to hear of that', async () => {
    expect(await cache.load()).toBeUndefined();
    expect(telemetry.events).toEqual([]);
  });

  it('is the last of many that were saved at once, and leaves one file', async () => {
    await Promise.all([1, 2, 3, 4].map((offset) => cache.save(placed(offset))));
    expect(await cache.load()).toEqual(placed(4));
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('makes its folder', async () => {
    const deep = new PlanCache(join(folder, 'a', 'b'), SOURCE, telemetry);
    await deep.save(placed(3));
    expect(await deep.load()).toEqual(placed(3));
  });

  it('is apart from that of another broker, vhost or stream', async () => {
    await cache.save(placed(3));
    for (const other of [{ broker: 'other:5672' }, { vhost: 'other' }, { stream: 'other' }]) {
      expect(await new PlanCache(folder, { ...SOURCE, ...other }, telemetry).load()).toBeUndefined();
    }
    expect(telemetry.events).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['of another source', { source: { ...SOURCE, vhost: 'other' } }, 'of another broker, vhost or stream'],
    ['of nobody', { source: undefined }, 'of another broker, vhost or stream'],
    ['of another version', { version: 2 }, 'expected version 1, got: 2'],
    ['without a place', { offset: -1 }, 'expected offset to be one'],
    ['that is no entry', { entry: { id: 'id-1' } }, 'expected logId to be a text'],
  ])('%s is ignored and reported', async (_what, change, reason) => {
    await overwrite(change);
    expect(await cache.load()).toBeUndefined();
    expect(reasons()).toEqual([expect.stringContaining(reason)]);
  });

  it.each(['', 'null', '{"version":1', '[]', '\u0000\u0000'])(
    'that is damaged is ignored and reported: %j',
    async (content) => {
      await writeFile(cache.path, content);
      expect(await cache.load()).toBeUndefined();
      expect(reasons()).toHaveLength(1);
      await cache.save(placed(3));
      expect(await cache.load()).toEqual(placed(3));
    },
  );

  it('that cannot be written or read is reported, and nobody fails', async () => {
    await writeFile(join(folder, 'file'), '');
    const homeless = new PlanCache(join(folder, 'file'), SOURCE, telemetry);
    await homeless.save(placed(3));
    expect(await homeless.load()).toBeUndefined();
    expect(reasons()).toHaveLength(2);
  });
});
