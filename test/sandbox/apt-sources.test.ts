import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readDebianMirror } from '../../src/sandbox/ovn/apt-mirror.ts';
import { debianMirror, parseDeb822, parseOneLine } from '../../src/sandbox/ovn/apt-sources.ts';

const DEB822 = `# made by the installer
Types: deb
# http://snapshot.example/20250520
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
`;

describe('apt sources', () => {
  it('reads the deb822 form', () => {
    expect(parseDeb822(DEB822)).toEqual([
      {
        uris: ['http://mirror.example/debian'],
        suites: ['bookworm', 'bookworm-updates'],
        components: ['main'],
        signedBy: '/usr/share/keyrings/debian.gpg',
      },
      {
        uris: ['http://mirror.example/debian-security'],
        suites: ['bookworm-security'],
        components: ['main'],
        signedBy: undefined,
      },
    ]);
  });

  it('leaves out what is disabled or has sources only', () => {
    const text = 'Types: deb-src\nURIs: http://a\nSuites: sid\nComponents: main\n';
    expect(parseDeb822(text)).toEqual([]);
    expect(parseDeb822(`${text.replace('-src', '')}Enabled: no\n`)).toEqual([]);
  });

  it('ignores a key that stands in the source itself', () => {
    const text =
      'Types: deb\nURIs: http://a\nSuites: sid\nComponents: main\nSigned-By:\n -----BEGIN PGP-----\n .\n abc/def\n';
    expect(parseDeb822(text)[0]?.signedBy).toBeUndefined();
  });

  it('reads the one-line form', () => {
    const text = `# deb http://no.example/ x main
deb [arch=amd64 signed-by=/k.gpg] https://mirror.example/debian trixie main contrib # why
deb-src https://mirror.example/debian trixie main
deb http://plain.example/debian/ sid main`;
    expect(parseOneLine(text)).toEqual([
      {
        uris: ['https://mirror.example/debian'],
        suites: ['trixie'],
        components: ['main', 'contrib'],
        signedBy: '/k.gpg',
      },
      { uris: ['http://plain.example/debian/'], suites: ['sid'], components: ['main'], signedBy: undefined },
    ]);
  });

  it("chooses Debian's own main, and nothing else", () => {
    const vendor = parseOneLine('deb https://vendor.example/apt cloud-sdk-bookworm main');
    const security = parseOneLine('deb http://mirror.example/security bookworm-security main');
    const contrib = parseOneLine('deb http://mirror.example/debian bookworm contrib');
    expect(debianMirror([...vendor, ...security, ...contrib])).toBeUndefined();
    expect(debianMirror([...vendor, ...security, ...parseDeb822(DEB822)])).toEqual({
      uri: 'http://mirror.example/debian',
      signedBy: '/usr/share/keyrings/debian.gpg',
    });
  });
});

describe('the mirror of a machine', () => {
  let etc = '';
  beforeEach(async () => {
    etc = await mkdtemp(join(tmpdir(), 'knb-apt-'));
    await mkdir(join(etc, 'sources.list.d'));
  });
  afterEach(() => rm(etc, { recursive: true, force: true }));

  it('is found in either form, beside files of others', async () => {
    await writeFile(
      join(etc, 'sources.list.d', 'a-vendor.list'),
      'deb https://v.example/apt stable-v main\n',
    );
    await writeFile(join(etc, 'sources.list.d', 'debian.sources'), DEB822);
    await writeFile(join(etc, 'sources.list.d', 'a-old.list.save'), 'deb http://saved.example sid main\n');
    expect((await readDebianMirror(etc))?.uri).toBe('http://mirror.example/debian');
  });

  it('is undefined where there is none', async () => {
    await rm(join(etc, 'sources.list.d'), { recursive: true });
    expect(await readDebianMirror(etc)).toBeUndefined();
  });
});
