import type { RowStore, WrittenRow } from './row-store.port.js';

const MAX_IDS_PER_QUERY = 1_000;

/** Asks for any number of ids, a batch a query, and hands on each batch's rows as they come. */
export async function* findRowsInBatches(
  store: RowStore,
  deliveryIds: readonly string[],
): AsyncGenerator<WrittenRow[]> {
  for (let start = 0; start < deliveryIds.length; start += MAX_IDS_PER_QUERY) {
    yield await store.findRows(deliveryIds.slice(start, start + MAX_IDS_PER_QUERY));
  }
}

export async function countRows(store: RowStore, deliveryIds: readonly string[]): Promise<number> {
  let rows = 0;
  for await (const batch of findRowsInBatches(store, deliveryIds)) rows += batch.length;
  return rows;
}
