import { createHmac } from 'node:crypto';
import { createRequire } from 'node:module';

/** One example of @octokit/webhooks-examples, serialised and signed once, sent many times. */
export interface Payload {
  readonly event: string;
  readonly bytes: Buffer;
  /** Everything but X-GitHub-Delivery, which is fresh for every delivery. */
  readonly headers: Readonly<Record<string, string>>;
}

interface WebhookDefinition {
  name: string;
  examples: unknown[];
}

/** All examples of api.github.com in the package's order. Without a secret they carry no signature. */
export function loadExamplePayloads(secret: string | undefined): Payload[] {
  const definitions: WebhookDefinition[] = createRequire(import.meta.url)(
    '@octokit/webhooks-examples/api.github.com/index.json',
  );
  return definitions.flatMap(({ name, examples }) =>
    examples.map((example) => toPayload(name, example, secret)),
  );
}

export function toPayload(event: string, example: unknown, secret: string | undefined): Payload {
  const bytes = Buffer.from(JSON.stringify(example));
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'Content-Length': String(bytes.length),
    'User-Agent': 'GitHub-Hookshot/replay',
    'X-GitHub-Event': event,
  };
  if (secret !== undefined) headers['X-Hub-Signature-256'] = signatureOf(bytes, secret);
  return { event, bytes, headers };
}

/** Over the exact bytes that are sent: a receiver that serialises again would compute another one. */
function signatureOf(bytes: Buffer, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(bytes).digest('hex')}`;
}
