import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { QueryParameter } from '../event-database.js';
import { RowsServer } from './rows.server.js';

describe('the rows of the embedded database', () => {
  let server: RowsServer;
  let asked: Array<readonly QueryParameter[]>;
  let rows: Record<string, unknown>[];

  beforeEach(async () => {
    asked = [];
    rows = [];
    server = await RowsServer.listen(async <Result>(_sql: string, parameters: readonly QueryParameter[]) => {
      asked.push(parameters);
      return rows as Result[];
    });
  });

  afterEach(() => server.close());

  const post = (body: string) => fetch(server.url, { method: 'POST', body });

  it('are looked up by their ids', async () => {
    rows = [{ deliveryId: 'a', recordedAtEpochMs: 1 }];
    const response = await post('["a","b \\"}"]');
    expect(await response.json()).toEqual(rows);
    expect(asked).toEqual([['{"a","b \\"}"}']]);
  });

  it('are counted and shown', async () => {
    rows = [{ total: 7 }];
    expect(await (await fetch(server.url)).json()).toEqual({ total: 7, latest: rows });
  });

  it.each(['', '{}', '[1]', '["a"', JSON.stringify(Array.from({ length: 1_001 }, () => 'x'))])(
    'are not looked up for %.20j',
    async (body) => {
      expect((await post(body)).status).toBe(400);
      expect(asked).toEqual([]);
    },
  );
});
