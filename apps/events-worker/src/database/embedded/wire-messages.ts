const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

/** How a client opens a connection: protocol 3.0, who and where. Such a message has no type. */
export const STARTUP = message('', Buffer.from('\0\x03\0\0user\0postgres\0database\0postgres\0\0'));

/** The answer to a client that asks for encryption: go on without. */
export const NO_ENCRYPTION = Buffer.from('N');

export function simpleQuery(sql: string): Buffer {
  return message('Q', Buffer.from(`${sql}\0`));
}

interface WireError {
  /** FATAL: the connection ends with it. */
  severity: 'ERROR' | 'FATAL';
  /** SQLSTATE */
  code: string;
  text: string;
  hint: string;
}

/** An error, and that we are ready for the next statement. */
export function errorReply({ severity, code, text, hint }: WireError): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${code}`, `M${text}`, `H${hint}`, '', ''];
  return Buffer.concat([message('E', Buffer.from(fields.join('\0'))), READY]);
}

/** Whether a reply ends with "ready, no transaction open", as every complete one does. */
export function endsReady(reply: Buffer): boolean {
  return reply.subarray(-READY.length).equals(READY);
}

function message(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(type.length + 4);
  header.write(type, 'latin1');
  header.writeInt32BE(4 + content.length, type.length);
  return Buffer.concat([header, content]);
}
