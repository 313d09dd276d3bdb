/** What a client of the PostgreSQL protocol sent, in the pieces that are answered as one. */
export type FrontendUnit =
  /** Asks whether we encrypt. */
  | { kind: 'encryption-request' }
  | { kind: 'startup' }
  /** Everything up to the point where the client waits until we are ready again: a query, or messages up to Sync. */
  | { kind: 'statement'; bytes: Buffer }
  /** The end of the connection, asked for or because the client wants what we do not do. */
  | { kind: 'goodbye'; reason?: string };

const PROTOCOL_3_0 = 0x0003_0000;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
/** Enough for a query with thousands of ids. */
const MAX_UNIT_BYTES = 1024 * 1024;

const QUERY = 'Q';
const SYNC = 'S';
const SYNC_BYTES = 5;
const TERMINATE = 'X';
/** Parse, Bind, Describe, Execute, Close: answered when the Sync arrives. */
const EXTENDED_QUERY = 'PBDEC';
/** CopyData, CopyDone, CopyFail: late words about a copy that was refused. */
const COPY = 'dcf';

/** Cuts the bytes of one connection into units, wherever they were split on their way. */
export class FrontendReader {
  private buffer: Buffer = Buffer.alloc(0);
  private statement: Buffer[] = [];
  private hasStarted = false;

  *read(chunk: Buffer): Generator<FrontendUnit> {
    this.buffer = Buffer.concat([this.buffer, chunk]);
    for (;;) {
      const unit = this.hasStarted ? this.nextMessage() : this.nextOpening();
      if (!unit) return;
      if (unit === 'incomplete-statement') continue;
      yield unit;
      if (unit.kind === 'goodbye') return;
    }
  }

  /** Before the startup is done, messages have no type. */
  private nextOpening(): FrontendUnit | undefined {
    if (this.buffer.length < 8) return undefined;
    const code = this.buffer.readInt32BE(4);
    const lengthBytes = this.buffer.readInt32BE(0);
    if (lengthBytes < 8 || lengthBytes > MAX_UNIT_BYTES) return { kind: 'goodbye' };
    if (!this.take(lengthBytes)) return undefined;
    if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: 'encryption-request' };
    // Also a request to cancel a statement, which we run to its end.
    if (code !== PROTOCOL_3_0) return { kind: 'goodbye' };
    this.hasStarted = true;
    return { kind: 'startup' };
  }

  private nextMessage(): FrontendUnit | 'incomplete-statement' | undefined {
    if (this.buffer.length < 5) return undefined;
    const type = this.buffer.toString('latin1', 0, 1);
    const lengthBytes = 1 + this.buffer.readInt32BE(1);
    if (lengthBytes < 5) return { kind: 'goodbye' };
    if (this.statementBytes() + lengthBytes > MAX_UNIT_BYTES) {
      return { kind: 'goodbye', reason: 'a statement may have at most 1 MiB' };
    }
    const bytes = this.take(lengthBytes);
    return bytes && this.unitOf(type, bytes);
  }

  private unitOf(type: string, bytes: Buffer): FrontendUnit | 'incomplete-statement' {
    if (COPY.includes(type)) return 'incomplete-statement';
    if (EXTENDED_QUERY.includes(type)) {
      this.statement.push(bytes);
      return 'incomplete-statement';
    }
    if (type === TERMINATE) return { kind: 'goodbye' };
    if (type !== QUERY && type !== SYNC) return unsupported(`a message of type ${type}`);
    // n.b. both would leave PGlite skipping what follows, the worker's statements too.
    if (type === QUERY && this.statement.length > 0) return unsupported('a query within another');
    if (type === SYNC && bytes.length !== SYNC_BYTES) return unsupported('a Sync with content');
    const statement = Buffer.concat([...this.statement, bytes]);
    this.statement = [];
    return { kind: 'statement', bytes: statement };
  }

  private take(lengthBytes: number): Buffer | undefined {
    if (this.buffer.length < lengthBytes) return undefined;
    const bytes = this.buffer.subarray(0, lengthBytes);
    this.buffer = this.buffer.subarray(lengthBytes);
    return bytes;
  }

  private statementBytes(): number {
    return this.statement.reduce((sum, { length }) => sum + length, 0);
  }
}

function unsupported(what: string): FrontendUnit {
  return { kind: 'goodbye', reason: `${what} is not supported` };
}
