import { expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseModule } from './database.module.js';
import { DatabaseUnavailableError } from './database-unavailable.error.js';

it('an application without its database is not made, and the reason reaches whoever makes it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'spillway-module-'));
  writeFileSync(join(folder, 'file'), '');
  const module = DatabaseModule.forRoot({ url: undefined, dataDir: join(folder, 'file'), poolSize: 1 });
  const making = NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  await expect(making).rejects.toBeInstanceOf(DatabaseUnavailableError);
  rmSync(folder, { recursive: true });
});
