import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findInstalled } from './rabbitmq-server.mjs';

describe('the installed rabbitmq-server', () => {
  let root = '';
  const put = (/** @type {string} */ path) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  };
  const link = (/** @type {string} */ path, /** @type {string} */ target) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(join(root, target), join(root, path));
  };
  const find = (/** @type {string[]} */ ...path) =>
    findInstalled({
      path: path.map((folder) => join(root, folder)).join(':'),
      serverFolders: [join(root, 'usr/lib/rabbitmq/bin')],
      erlangFolders: [join(root, 'usr/bin')],
    });

  /** As Debian's package has it: a wrapper in the path, which the server must not be started by. */
  const installLikeDebian = () => {
    const scripts = 'usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin';
    for (const name of ['rabbitmq-server', 'rabbitmq-env']) {
      put(`${scripts}/${name}`);
      link(`usr/lib/rabbitmq/bin/${name}`, `${scripts}/${name}`);
    }
    put('usr/lib/rabbitmq/bin/rabbitmq-script-wrapper');
    link('usr/sbin/rabbitmq-server', 'usr/lib/rabbitmq/bin/rabbitmq-script-wrapper');
  };

  beforeEach(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'rmq-')));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is the server itself and not the wrapper in the path', () => {
    installLikeDebian();
    put('usr/bin/erl');
    expect(find('usr/sbin')).toEqual({
      program: join(root, 'usr/lib/rabbitmq/lib/rabbitmq_server-3.10.8/sbin/rabbitmq-server'),
      erlangFolder: join(root, 'usr/bin'),
      version: '3.10.8',
      key: 'installed-3.10.8',
    });
  });

  it('is found outside of the path too', () => {
    installLikeDebian();
    put('usr/bin/erl');
    expect(find('somewhere')?.version).toBe('3.10.8');
  });

  it('is none without Erlang', () => {
    installLikeDebian();
    expect(find('usr/sbin')).toBeUndefined();
  });

  it('is none if the name in the path is only a wrapper', () => {
    put('usr/sbin/rabbitmq-server');
    put('usr/bin/erl');
    expect(find('usr/sbin')).toBeUndefined();
  });
});
