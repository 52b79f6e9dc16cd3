/**
 * Completes `package-lock.json` for other platforms. Packages with native code name one optional package per platform;
 * where a registry lacks some of them, `npm install` leaves these out of the lock, and npm 11 then refuses the lock that
 * it wrote itself. An entry with version, platform and `optional` is enough: nobody on this platform fetches it.
 *
 *     node tools/mend-lock.mjs [--offline] [FOLDER]      --offline: derive the platform from the name, do not ask npm
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

const OS = /\b(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)\b/;
const CPU = /\b(arm|arm64|ia32|loong64|mips64el|ppc64|riscv64|s390x|wasm32|x64)\b/;
const LIBC = { gnu: ['glibc'], glibc: ['glibc'], musl: ['musl'] };

/** The entry that a package at `path` gets when it requires `name`: the nearest `node_modules` upwards, as Node looks. */
function isLocked(packages, path, name) {
  for (let folder = path; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    if (`${folder === '' ? '' : `${folder}/`}node_modules/${name}` in packages) return true;
    if (folder === '') return false;
  }
}

function missing(packages) {
  return Object.entries(packages).flatMap(([path, entry]) =>
    Object.entries({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter(([name]) => !isLocked(packages, path, name))
      .map(([name, range]) => ({ name, range, dev: entry.dev === true })),
  );
}

/** What the registry says about the package, or undefined where it does not have it. */
function published(name, range) {
  const fields = ['version', 'os', 'cpu', 'libc', 'license', 'engines', 'dependencies', 'dist.integrity'];
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 };
  const { status, stdout } = spawnSync('npm', ['view', `${name}@${range}`, '--json', ...fields], options);
  if (status !== 0 || stdout.trim() === '') return undefined;
  const [newest] = [JSON.parse(stdout)].flat().slice(-1);
  const { 'dist.integrity': integrity, ...rest } = newest;
  return { ...rest, integrity };
}

function derived(name, range) {
  if (!/^\d/.test(range))
    throw new Error(`${name}@${range}: the registry does not know it and it has no exact version`);
  const platform = name.slice(name.indexOf('/') + 1);
  const libc = Object.keys(LIBC).find(word => platform.split('-').includes(word));
  return {
    version: range,
    os: OS.exec(platform)?.slice(1, 2),
    cpu: CPU.exec(platform)?.slice(1, 2),
    libc: libc === undefined ? undefined : LIBC[libc],
  };
}

const list = value => (value === undefined ? undefined : [value].flat());

function entryOf({ name, range, dev }, offline) {
  const { version, integrity, os, cpu, libc, ...rest } =
    (offline ? undefined : published(name, range)) ?? derived(name, range);
  const entry = { version, integrity, cpu: list(cpu), dev: dev || undefined, libc: list(libc), ...rest };
  return { ...entry, optional: true, os: list(os) };
}

function mend(folder, offline) {
  const path = join(folder, 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const added = [];
  for (let wanted = missing(lock.packages); wanted.length > 0; wanted = missing(lock.packages)) {
    for (const dependency of wanted) {
      lock.packages[`node_modules/${dependency.name}`] = entryOf(dependency, offline);
      added.push(dependency.name);
    }
  }
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en')),
  );
  if (added.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  return added;
}

const args = process.argv.slice(2);
const offline = args[0] === '--offline';
const added = mend(args[offline ? 1 : 0] ?? '.', offline);
process.stdout.write(added.length === 0 ? 'nothing is missing\n' : `added ${added.join(', ')}\n`);
