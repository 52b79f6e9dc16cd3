/**
 * Packages that the tests run but must not depend on (another Node, other versions of npm): as dependencies they would
 * shadow the machine's own. They lie in a cache outside the project and are called by path.
 *
 *     node tools/package-cache.mjs NAME VERSION      prints the package's folder, fetches it first where it is missing
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const FETCH_LIMIT_MS = 180_000;

/** The folder of the cached package. Throws with npm's own words if it cannot be fetched. */
export function cachedPackage(name, version) {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kube-northbound');
  const home = join(cache, `${name}-${version}`);
  const folder = join(home, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  mkdirSync(cache, { recursive: true });
  const staging = mkdtempSync(join(cache, 'fetch-'));
  try {
    fetchInto(staging, `${name}@${version}`);
    rmSync(home, { recursive: true, force: true });
    renameSync(staging, home);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
  return folder;
}

function fetchInto(prefix, spec) {
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error'];
  const { status, error, stderr } = spawnSync('npm', ['install', '--prefix', prefix, ...options, spec], {
    cwd: prefix,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: FETCH_LIMIT_MS,
  });
  if (status === 0) return;
  throw new Error(`cannot fetch ${spec}: ${error?.message ?? stderr.trim().split('\n')[0]}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [name, version] = process.argv.slice(2);
  if (version === undefined) throw new Error('usage: node tools/package-cache.mjs NAME VERSION');
  process.stdout.write(`${cachedPackage(name, version)}\n`);
}
