import { describe, expect, it } from '@jest/globals';
import { findPackage } from './debian-packages.mjs';
import { hasChecksum } from './debian-release.mjs';

const INDEX = `Package: erlang-base
Version: 1:25.2
Filename: pool/main/e/erlang/erlang-base_25.2_amd64.deb
SHA256: aaaa

Package: erlang-base-hipe
Version: 1:25.3
Filename: pool/main/e/erlang/erlang-base-hipe_25.3_amd64.deb
SHA256: bbbb
`;

describe('an index of Debian packages', () => {
  it('gives the package of exactly that name', () => {
    expect(findPackage(INDEX, 'erlang-base')).toEqual({
      name: 'erlang-base',
      version: '1:25.2',
      path: 'pool/main/e/erlang/erlang-base_25.2_amd64.deb',
      sha256: 'aaaa',
    });
  });

  it('gives the last one too', () => {
    expect(findPackage(INDEX, 'erlang-base-hipe')?.sha256).toBe('bbbb');
  });

  it('has no package by half of its name', () => {
    expect(findPackage(INDEX, 'erlang')).toBeUndefined();
  });
});

describe('a signed release', () => {
  const release = 'SHA256:\n aaaa 12 main/binary-amd64/Packages.gz\n bbbb 13 main/binary-arm64/Packages.gz\n';

  it('vouches for a file with its checksum only', () => {
    expect(hasChecksum(release, { path: 'main/binary-amd64/Packages.gz', sha256: 'aaaa' })).toBe(true);
    expect(hasChecksum(release, { path: 'main/binary-amd64/Packages.gz', sha256: 'bbbb' })).toBe(false);
  });
});
