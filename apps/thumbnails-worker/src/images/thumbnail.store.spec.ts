import { mkdir, mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PermanentFailure } from '@spillway/work-queue';
import { ThumbnailStore } from './thumbnail.store.js';

const ID = 'J2Zy3q0n3Y1b-_9QeKf0aA';

describe('the store of thumbnails', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'thumbnails-'));
  });

  afterEach(() => rm(folder, { recursive: true, force: true }));

  const files = (text: string) => [64, 256].map((width) => ({ name: `${width}.webp`, bytes: bytes(text) }));
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  const kept = (name: string): Promise<string> => readFile(join(folder, ID, name), 'utf8');

  it('makes its folder, and keeps the files of an id in a folder of that name', async () => {
    folder = join(folder, 'not', 'there');
    const store = await ThumbnailStore.open(folder);
    await store.keep(ID, files('first'));
    expect(await readdir(folder)).toEqual([ID]);
    expect(await kept('64.webp')).toBe('first');
    expect(await kept('256.webp')).toBe('first');
  });

  it('writes once for each id, however often and however much at the same time', async () => {
    const store = await ThumbnailStore.open(folder);
    await store.keep(ID, files('first'));
    await Promise.all(['second', 'third'].map((text) => store.keep(ID, files(text))));
    expect(await kept('64.webp')).toBe('first');
    expect(await readdir(folder)).toEqual([ID]);
  });

  it.each(['../out', 'a/b', '.hidden', '', 'a'.repeat(101)])('refuses the id %j', async (id) => {
    const store = await ThumbnailStore.open(folder);
    await expect(store.keep(id, files('x'))).rejects.toBeInstanceOf(PermanentFailure);
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves nothing half written behind when it fails', async () => {
    const store = await ThumbnailStore.open(folder);
    const wrong = [...files('x'), { name: 'no/such/folder.webp', bytes: bytes('x') }];
    await expect(store.keep(ID, wrong)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(folder)).toEqual([]);
  });

  it('removes what killed processes left, and nothing that may still be written', async () => {
    await mkdir(join(folder, '.making-old'));
    const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1_000);
    await utimes(join(folder, '.making-old'), yesterday, yesterday);
    await mkdir(join(folder, '.making-now'));
    await ThumbnailStore.open(folder);
    expect(await readdir(folder)).toEqual(['.making-now']);
  });
});
