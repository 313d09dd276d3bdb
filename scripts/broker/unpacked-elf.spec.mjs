import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { programHeaderTypes, relocateErl, wrapPrograms } from './unpacked-elf.mjs';

const PT_INTERP = 3;

/** @param {number[]} types */
function elfWith(types) {
  const head = Buffer.alloc(4096);
  head.write('\x7fELF\x02\x01', 'latin1');
  head.writeBigUInt64LE(64n, 32);
  head.writeUInt16LE(56, 54);
  head.writeUInt16LE(types.length, 56);
  types.forEach((type, index) => head.writeUInt32LE(type, 64 + index * 56));
  return head;
}

describe('unpacked programs', () => {
  let tree = '';
  const put = (/** @type {string} */ path, /** @type {string | Buffer} */ content) => {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content, { mode: 0o755 });
  };
  /** A loader that says what it was asked to run. */
  const wrap = () => {
    put('lib/loader', '#!/bin/sh\nprintf "%s\\n" "$@"\n');
    wrapPrograms(tree, { folder: 'erlang', libraries: ['usr/lib', 'lib'], loader: 'lib/loader' });
  };

  beforeEach(() => {
    tree = mkdtempSync(join(tmpdir(), 'tree with a space '));
  });
  afterEach(() => rmSync(tree, { recursive: true, force: true }));

  it('run by the loader unpacked beside them, under their own name and with their arguments', () => {
    put('erlang/erts/bin/beam', elfWith([6, PT_INTERP]));
    wrap();
    const program = join(tree, 'erlang/erts/bin/beam');
    expect(execFileSync(program, ['-a', 'b c']).toString().split('\n').slice(0, -1)).toEqual([
      '--inhibit-cache',
      '--library-path',
      `${tree}/usr/lib:${tree}/lib`,
      '--argv0',
      program,
      `${program}.elf`,
      '-a',
      'b c',
    ]);
  });

  it('still run after the tree was moved', () => {
    put('erlang/bin/epmd', elfWith([PT_INTERP]));
    wrap();
    const moved = `${tree} moved`;
    renameSync(tree, moved);
    tree = moved;
    expect(execFileSync(join(moved, 'erlang/bin/epmd')).toString()).toContain(`${moved}/erlang/bin/epmd.elf`);
  });

  it('are not libraries and not scripts', () => {
    put('erlang/lib/crypto.so', elfWith([1, 2]));
    put('erlang/bin/start', '#!/bin/sh\nexit 7\n');
    wrap();
    expect(readFileSync(join(tree, 'erlang/lib/crypto.so'))).toEqual(elfWith([1, 2]));
    expect(readFileSync(join(tree, 'erlang/bin/start'), 'latin1')).toContain('exit 7');
  });

  it('find Erlang where it was unpacked', () => {
    for (const path of ['erlang/bin/erl', 'erlang/erts-1/bin/erl']) {
      put(path, '#!/bin/sh\nROOTDIR=/usr/lib/erlang\nprintf %s "$ROOTDIR"\n');
    }
    relocateErl(tree, 'erlang');
    for (const path of ['erlang/bin/erl', 'erlang/erts-1/bin/erl']) {
      expect(execFileSync(join(tree, path)).toString()).toBe(join(tree, 'erlang'));
    }
  });
});

describe('the program headers of a file', () => {
  it('name the interpreter of a program of this system', () => {
    const isElf = process.platform === 'linux';
    const file = join(mkdtempSync(join(tmpdir(), 'elf-')), 'sh');
    copyFileSync('/bin/sh', file);
    expect(programHeaderTypes(readFileSync(file).subarray(0, 4096)).includes(PT_INTERP)).toBe(isElf);
    rmSync(dirname(file), { recursive: true });
  });

  it('are none if it is no ELF file, or cut off', () => {
    expect(programHeaderTypes(Buffer.alloc(64, '#!/bin/sh\n'))).toEqual([]);
    expect(programHeaderTypes(elfWith([PT_INTERP]).subarray(0, 64))).toEqual([]);
  });
});
