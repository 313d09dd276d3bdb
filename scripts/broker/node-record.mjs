import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chooseFreePorts, isPortFree } from './free-ports.mjs';

/**
 * @typedef {{ amqp: number, management: number, distribution: number, epmd: number }} NodePorts
 * @typedef {{ name: string, ports: NodePorts }} NodeRecord what a private node keeps between its starts
 */

const PORT_NAMES = /** @type {const} */ (['amqp', 'management', 'distribution', 'epmd']);

/**
 * @param {string} dir the node's folder
 * @returns {NodeRecord | undefined} undefined: there has been no node in this folder
 */
export function readRecord(dir) {
  try {
    return JSON.parse(readFileSync(join(dir, 'node.json'), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * The record for the next start: the name is kept for ever, as the data is stored under it, and the ports as long as
 * nobody else took them while the node was down.
 * @param {string} dir which is there
 * @returns {Promise<NodeRecord>}
 */
export async function renewRecord(dir) {
  const known = readRecord(dir);
  if (known && (await areFree(known.ports))) return known;
  const [amqp, management, distribution, epmd] = await chooseFreePorts(PORT_NAMES.length);
  const name = known?.name ?? `spillway-${randomBytes(4).toString('hex')}@localhost`;
  const record = /** @type {NodeRecord} */ ({ name, ports: { amqp, management, distribution, epmd } });
  const draft = join(dir, 'node.json.part');
  writeFileSync(draft, `${JSON.stringify(record, undefined, 2)}\n`);
  renameSync(draft, join(dir, 'node.json'));
  return record;
}

/** @param {NodeRecord} record */
export const urlsOf = ({ ports }) => ({
  url: `amqp://guest:guest@127.0.0.1:${ports.amqp}`,
  managementUrl: `http://guest:guest@127.0.0.1:${ports.management}`,
});

/** @param {NodePorts} ports */
async function areFree(ports) {
  const answers = await Promise.all(PORT_NAMES.map((name) => isPortFree(ports[name])));
  return answers.every(Boolean);
}
