import { describe, expect, it } from '@jest/globals';
import { readWebhookBody } from './webhook-body.js';

function violationOf(body: string | Buffer): string | undefined {
  const read = readWebhookBody(Buffer.from(body));
  return 'violation' in read ? read.violation : undefined;
}

describe('the body of a webhook', () => {
  it('gives its fields when it is a JSON object', () => {
    expect(readWebhookBody(Buffer.from('{"action":"opened"}'))).toEqual({ fields: { action: 'opened' } });
  });

  it.each(['', '{', '[1]', '"text"', '1', 'null', 'undefined'])('is refused when it is %j', (text) => {
    expect(violationOf(text)).toMatch(/JSON/);
  });

  it('is refused when it is no UTF-8', () => {
    expect(violationOf(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]))).toMatch(/UTF-8/);
  });

  it('may nest 100 deep and no deeper', () => {
    expect(violationOf(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`)).toBeUndefined();
    expect(violationOf(`${'{"a":'.repeat(101)}1${'}'.repeat(101)}`)).toMatch(/nested at most 100/);
  });

  it('may hold any number of brackets, quotes and backslashes in its strings', () => {
    const text = `${'['.repeat(500)}"\\${'{'.repeat(500)}\\\\"`;
    expect(violationOf(JSON.stringify({ text, [text]: text }))).toBeUndefined();
  });

  it('is refused for its depth before it is parsed, however broken it is', () => {
    expect(violationOf('['.repeat(1_000_000))).toMatch(/nested/);
  });
});
