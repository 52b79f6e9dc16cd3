/**
 * Builds the program into `dist/`: the compiled sources, the files they read at run time, and the bundled CNI plugin.
 * Everything is built beside `dist/` and then takes its place, so that a program that is running keeps a whole one.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const DIST = join(ROOT, 'dist');
const STAGING = join(ROOT, `.build-${process.pid}`);
const ASSET = /\.(pl|ovsschema|json)$/;

function compile() {
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  const { status, error } = spawnSync(tsc, ['-p', 'tsconfig.build.json', '--outDir', STAGING], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (error !== undefined) throw new Error(`tsc does not start (${error.message}): run "npm ci" first`);
  if (status !== 0) throw new Error('the sources do not compile (see above)');
}

function copyAssets() {
  cpSync(join(ROOT, 'src'), STAGING, {
    recursive: true,
    filter: source => !/\.[^/.]+$/.test(source) || ASSET.test(source),
  });
}

/** One file without dependencies: a container runtime starts it for every pod, on hosts that have nothing but Node. */
async function bundlePlugin() {
  const outfile = join(STAGING, 'kube-northbound-cni');
  await bundle({
    entryPoints: [join(ROOT, 'src', 'node', 'cni', 'plugin.ts')],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    banner: { js: '#!/usr/bin/env node' },
    logLevel: 'warning',
  });
  chmodSync(outfile, 0o755);
}

/** Puts the staged folder in the place of `dist/`. Another build may do the same in between: the last one stays. */
function swap() {
  const old = `${STAGING}-old`;
  for (let attempt = 1; ; attempt++) {
    renameUnless('ENOENT', DIST, old);
    const done = renameUnless('ENOTEMPTY', STAGING, DIST);
    rmSync(old, { recursive: true, force: true });
    if (done) return;
    if (attempt === 5) throw new Error('dist/ is replaced by other builds all the time');
  }
}

function renameUnless(code, from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (error.code === code) return false;
    throw error;
  }
}

try {
  rmSync(STAGING, { recursive: true, force: true });
  compile();
  copyAssets();
  await bundlePlugin();
  swap();
} catch (error) {
  process.stderr.write(`build: ${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(STAGING, { recursive: true, force: true });
}
