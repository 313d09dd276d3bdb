export interface WrittenRow {
  deliveryId: string;
  /** Wall clock of the database, milliseconds since 1970 with a fraction. */
  recordedAtEpochMs: number;
}

/** Where the events-worker writes. Calls are made one after the other. */
export interface RowStore {
  /** The rows that exist for these ids. Rejects when the database cannot be asked; the next call tries afresh. */
  findRows(deliveryIds: readonly string[]): Promise<WrittenRow[]>;
  close(): Promise<void>;
}
