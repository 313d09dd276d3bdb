import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findDebianMirror, mirrorsOf } from './debian-mirror.mjs';

const DEB822 = `# comment
Types: deb
URIs: https://third.example/apt
Suites: cloud-sdk-bookworm
Components: main

Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: trixie
Components: main
`;

describe('the mirrors in a file of apt', () => {
  it('are those of Debian itself in a .sources file, without disabled ones and third parties', () => {
    expect(mirrorsOf({ name: 'debian.sources', text: DEB822 })).toEqual(['http://mirror.example/debian/']);
  });

  it('are those of Debian itself in a .list file, with or without options', () => {
    const text = `
      # deb http://old.example/debian bookworm main
      deb-src http://source.example/debian bookworm main
      deb https://docker.example/linux/debian bookworm stable
      deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian trixie main # comment
      deb http://two.example/debian trixie-updates main non-free
      deb http://security.example/debian-security trixie-security main
      deb http://ubuntu.example/ubuntu noble main universe`;
    expect(mirrorsOf({ name: 'sources.list', text })).toEqual([
      'http://one.example/debian',
      'http://two.example/debian',
    ]);
  });
});

describe('the mirror to fetch from', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'apt-'));
    mkdirSync(join(folder, 'sources.list.d'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is DEBIAN_MIRROR if that is set', () => {
    writeFileSync(join(folder, 'sources.list.d', 'debian.sources'), DEB822);
    expect(findDebianMirror({ DEBIAN_MIRROR: 'http://mine.example/debian/' }, folder)).toBe(
      'http://mine.example/debian',
    );
  });

  it('is the one that apt uses', () => {
    writeFileSync(join(folder, 'sources.list'), '# see sources.list.d\n');
    writeFileSync(join(folder, 'sources.list.d', 'debian.sources'), DEB822);
    writeFileSync(
      join(folder, 'sources.list.d', 'debian.sources.disabled'),
      'deb http://x.example/ sid main',
    );
    expect(findDebianMirror({}, folder)).toBe('http://mirror.example/debian');
  });

  it('is read from the list that a cloud image names', () => {
    const list = join(folder, 'mirrors.txt');
    writeFileSync(list, 'https://cloud.example/debian\n');
    writeFileSync(join(folder, 'sources.list'), `deb mirror+file:${list} bookworm main\n`);
    expect(findDebianMirror({}, folder)).toBe('https://cloud.example/debian');
  });

  it('is asked for if apt knows none', () => {
    expect(() => findDebianMirror({}, folder)).toThrow(/Set DEBIAN_MIRROR/);
  });
});
