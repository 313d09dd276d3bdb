interface ErrorFacts {
  /** SQLSTATE, or Node's code such as ECONNREFUSED. */
  code: string | undefined;
  message: string;
}

/** What an error of a driver says, however it was made: some are no `Error`, some have no message. */
export function errorFacts(error: unknown): ErrorFacts {
  const code = textOf(error, 'code');
  return { code, message: firstLine(messageOf(error)) ?? code ?? textOf(error, 'name') ?? String(error) };
}

/** n.b. Node joins the refusals of several addresses of one host in an error that has no message itself. */
function messageOf(error: unknown): string | undefined {
  const parts: unknown = fieldOf(error, 'errors');
  if (!Array.isArray(parts) || parts.length === 0) return textOf(error, 'message');
  return parts.map((part: unknown) => errorFacts(part).message).join('; ');
}

function firstLine(text: string | undefined): string | undefined {
  return text?.trim().split('\n')[0] || undefined;
}

function textOf(error: unknown, field: string): string | undefined {
  const value = fieldOf(error, field);
  return typeof value === 'string' ? value : undefined;
}

function fieldOf(error: unknown, field: string): unknown {
  return typeof error === 'object' && error !== null ? Reflect.get(error, field) : undefined;
}
