import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type AppProcess, spawnTypescript } from '../support/app-process.js';
import { readyMessages } from '../support/queue.js';
import { until } from '../support/until.js';
import { createVhost, type TestVhost } from '../support/vhost.js';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = join(ROOT, 'examples/invoices');

describe('the example of the README', () => {
  let vhost: TestVhost;
  let app: AppProcess;

  beforeEach(async () => {
    vhost = await createVhost();
    app = spawnTypescript(join(EXAMPLE, 'main.ts'), {
      RABBITMQ_URL: vhost.url,
      RABBITMQ_MANAGEMENT_URL: vhost.managementUrl,
      SPILLWAY_CONFIG: join(EXAMPLE, 'spillway.yaml'),
      PORT: '0',
    });
  });

  afterEach(async () => {
    await app.stop();
    await vhost.delete();
  });

  it('accepts an invoice with 202 and prints it', async () => {
    const { status, body } = await post({ to: 'ada@example.org' });
    expect(status).toBe(202);
    expect(body).toMatchObject({ queue: 'invoices', id: expect.any(String) });
    await app.line(/printed for ada@example\.org/);
  }, 60_000);

  it('dead-letters an invoice to nobody at once', async () => {
    expect((await post({ to: 'nobody' })).status).toBe(202);
    await until(async () =>
      (await readyMessages(vhost.url, 'invoices.dead')) === 1 ? undefined : 'no dead letter',
    );
  }, 60_000);

  it('stands in the README as it is', async () => {
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    for (const file of ['app.module.ts', 'spillway.yaml']) {
      expect(readme).toContain(await readFile(join(EXAMPLE, file), 'utf8'));
    }
  });

  async function post(invoice: object): Promise<{ status: number; body: unknown }> {
    const url = /http:\S+/.exec(await app.line(/listening on/))?.[0];
    const response = await fetch(`${url}/invoices`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(invoice),
    });
    return { status: response.status, body: await response.json() };
  }
});
