import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** These need the registry, or what npm keeps of it. */
const LIMIT_MS = 240_000;
const ROOT = join(import.meta.dirname, '..', '..');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kube-northbound-lock-'));
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    copyFileSync(join(ROOT, file), join(folder, file));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Without what an npm that runs these tests tells its children about itself and this project. */
function environment(): NodeJS.ProcessEnv {
  const foreign = /^npm_(package|lifecycle)_|^npm_config_(local_prefix|omit|include)$|^NODE_ENV$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign.test(name)));
}

/** Runs a script with this Node; fails with what it wrote on stderr. */
const node = (script: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [script, ...args], {
    cwd: folder,
    env: environment(),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  });

function npm(version: string, ...args: readonly string[]): string {
  const home = node(join(ROOT, 'tools', 'package-cache.mjs'), 'npm', version).trim();
  return node(join(home, 'bin', 'npm-cli.js'), ...args);
}

const lock = (): { packages: Record<string, object> } =>
  JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8'));

/** Takes entries out, as `npm install` does where a registry lacks packages. */
function forget(pattern: RegExp): void {
  const { packages, ...rest } = lock();
  const kept = Object.entries(packages).filter(([path]) => !pattern.test(path));
  expect(kept.length).toBeLessThan(Object.keys(packages).length);
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify({ ...rest, packages: Object.fromEntries(kept) }),
  );
}

describe('package-lock.json', () => {
  it.each(['10.9.9', '11.21.2'])(
    'is what npm %s installs from',
    version => {
      npm(version, 'ci', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund');
      expect(existsSync(join(folder, 'node_modules', 'typescript', 'package.json'))).toBe(true);
    },
    LIMIT_MS,
  );

  it(
    'is refused by npm 11 when packages of other platforms are missing: the reason for mending it',
    () => {
      forget(/cli-darwin-|openharmony/);
      expect(() => npm('11.21.2', 'ci', '--dry-run', '--ignore-scripts')).toThrow(/Missing: .*darwin/);
    },
    LIMIT_MS,
  );

  it(
    'is mended with what the registry says',
    () => {
      const whole = lock();
      forget(/cli-darwin-|android-arm-eabi/);
      node(join(ROOT, 'tools', 'mend-lock.mjs'), folder);
      expect(lock()).toEqual(whole);
    },
    LIMIT_MS,
  );

  it('is mended from the names of the packages where the registry does not have them', () => {
    const whole = lock();
    forget(/cli-darwin-|android-arm-eabi|linux-x64-musl/);
    node(join(ROOT, 'tools', 'mend-lock.mjs'), '--offline', folder);
    const mended = lock().packages;
    expect(Object.keys(mended)).toEqual(Object.keys(whole.packages));
    for (const [path, entry] of Object.entries(mended))
      expect(whole.packages[path]).toEqual(expect.objectContaining(entry));
  });
});
