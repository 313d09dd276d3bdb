import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from '@jest/globals';
import { System } from '../support/system.js';

const REPLAY = join(import.meta.dirname, '../../bench/replay/dist/main.js');
const COUNT = 1_000;

describe('the main job', () => {
  let system: System;

  afterEach(() => system.close());

  it('writes 1,000 real webhooks as 1,000 rows, signed and posted at a steady rate', async () => {
    system = await System.create({
      maxLatency: '20s',
      serviceTime: '20ms',
      workers: 1,
      prefetch: 10,
      type: 'quorum',
    });
    const secret = { GITHUB_WEBHOOK_SECRET: 'shared with GitHub' };
    const { url } = await system.startGateway(secret);
    await system.startWorker();
    const args = ['--url', url, '--rate', '200', '--count', String(COUNT), '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, [REPLAY, ...args], {
      env: { PATH: process.env.PATH, ...system.environment, ...secret },
    });
    const report: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    expect(report).toMatchObject({
      sent: COUNT,
      accepted: COUNT,
      rejected: 0,
      unknown: 0,
      rows: COUNT,
      missing: 0,
    });
  }, 120_000);
});
