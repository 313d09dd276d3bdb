import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PrivateNode, startPrivateNode } from '../../scripts/broker/private-node.mjs';
import type { BrokerAddress } from './system.js';

/** How long a first start on a busy machine may take; for the hook that starts it. */
export const PRIVATE_BROKER_START_MS = 90_000;

/** A broker of the test's own, to be alarmed, frozen and killed. The machine's and the runner's see nothing of it. */
export class PrivateBroker implements BrokerAddress {
  private constructor(private node: PrivateNode) {}

  static async start(): Promise<PrivateBroker> {
    const dir = await mkdtemp(join(tmpdir(), 'sw-fault-'));
    return new PrivateBroker(await startPrivateNode({ dir }));
  }

  get url(): string {
    return this.node.url;
  }

  get managementUrl(): string {
    return this.node.managementUrl;
  }

  /** From now on the broker has too much in memory, whatever it has: it takes no publishes. */
  async raiseMemoryAlarm(): Promise<void> {
    await this.node.ctl('set_vm_memory_high_watermark', '0.0001');
  }

  async clearMemoryAlarm(): Promise<void> {
    await this.node.ctl('set_vm_memory_high_watermark', '0.4');
  }

  /** It neither reads nor answers until it is killed. */
  freeze(): void {
    process.kill(this.node.pid, 'SIGSTOP');
  }

  /** As a crash does. */
  async kill(): Promise<void> {
    await this.node.kill();
  }

  /** The same node with the same data on the same ports. */
  async restart(): Promise<void> {
    this.node = await startPrivateNode({ dir: this.node.dir });
  }

  async close(): Promise<void> {
    await this.node.kill();
    await rm(this.node.dir, { recursive: true, force: true });
  }
}
