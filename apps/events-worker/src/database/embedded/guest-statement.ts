import type { PGlite } from '@electric-sql/pglite';
import { endsReady, errorReply, simpleQuery, STARTUP } from './wire-messages.js';

/** A larger answer would weigh on the worker, whose memory it is. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

/**
 * Runs a statement of somebody else in the one session there is, without a trace of it for the worker's statements:
 * - read-only, since this is for looking; it also keeps out COPY FROM STDIN, which ends PGlite;
 * - no transaction stays open: the worker's rows would be part of it, and a rollback would take them away
 *   after their messages were acknowledged;
 * - settings, prepared statements and temporary tables are gone afterwards.
 */
export async function runGuestStatement(pglite: PGlite, messages: Buffer): Promise<Buffer> {
  await exchange(pglite, simpleQuery('set default_transaction_read_only = on'));
  const reply = await exchange(pglite, messages);
  const hasOpenTransaction = pglite.isInTransaction();
  if (hasOpenTransaction) await exchange(pglite, simpleQuery('rollback'));
  await exchange(pglite, simpleQuery('discard all'));
  if (hasOpenTransaction) return TRANSACTION_REFUSED;
  if (!reply) return TOO_LARGE;
  return endsReady(reply) ? reply : UNANSWERED;
}

/**
 * What a client wants to know of a server at first. Whoever it says it is: it is asked for in our own words, since an
 * opening that PGlite does not like ends it.
 */
export async function greetGuest(pglite: PGlite): Promise<Buffer> {
  return (await exchange(pglite, STARTUP)) ?? UNANSWERED;
}

/** @returns undefined if the answer was too large */
async function exchange(pglite: PGlite, messages: Buffer): Promise<Buffer | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  await pglite.execProtocolRawStream(messages, {
    onRawData: (chunk) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= MAX_REPLY_BYTES) chunks.push(chunk);
    },
  });
  return sizeBytes <= MAX_REPLY_BYTES ? Buffer.concat(chunks) : undefined;
}

const TRANSACTION_REFUSED = errorReply({
  severity: 'ERROR',
  code: '0A000',
  text: 'the embedded database takes one statement at a time, not a transaction',
  hint: 'It was rolled back. Start the worker with DATABASE_URL to have a PostgreSQL server.',
});

const TOO_LARGE = errorReply({
  severity: 'ERROR',
  code: '54000',
  text: 'the answer is larger than 64 MiB, which the embedded database does not send',
  hint: 'Ask for fewer columns or rows.',
});

const UNANSWERED = errorReply({
  severity: 'ERROR',
  code: 'XX000',
  text: 'the embedded database could not finish this statement',
  hint: 'Start the worker with DATABASE_URL to have a PostgreSQL server.',
});
