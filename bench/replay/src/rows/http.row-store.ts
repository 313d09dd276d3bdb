import type { RowStore, WrittenRow } from './row-store.port.js';

const TIMEOUT_MS = 10_000;

/** The rows of an events-worker's embedded database, which it shows on loopback. Stateless: nothing to close. */
export class HttpRowStore implements RowStore {
  constructor(private readonly locate: () => Promise<string>) {}

  async findRows(deliveryIds: readonly string[]): Promise<WrittenRow[]> {
    const response = await fetch(await this.locate(), {
      method: 'POST',
      body: JSON.stringify(deliveryIds),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`the events-worker answers ${response.status}: ${text.trim()}`);
    const rows: unknown = JSON.parse(text);
    if (Array.isArray(rows) && rows.every(isWrittenRow)) return rows;
    throw new Error(`the events-worker answers with something else than rows: ${text.slice(0, 80)}`);
  }

  async close(): Promise<void> {}
}

function isWrittenRow(row: unknown): row is WrittenRow {
  if (typeof row !== 'object' || row === null) return false;
  return 'deliveryId' in row && typeof row.deliveryId === 'string' && 'recordedAtEpochMs' in row;
}
