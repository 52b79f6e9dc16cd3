/** All checks and all tests, one after the other. The last line is the sum: "N passed, N failed", ", N skipped" if any. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { cachedPackage } from './package-cache.mjs';
import { interruption, run } from './test-runner.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MINUTE = 60_000;
const NODE_24 = '24.21.0';

const passed = [];
const failed = [];
const skipped = [];
const results = mkdtempSync(join(tmpdir(), 'kube-northbound-test-'));
/** What the last step looks at. */
process.env.KUBE_NORTHBOUND_AUDIT_LOGS = join(results, 'audit');

const heading = text => process.stdout.write(`\n==> ${text}\n`);

/** A check counts as one test. */
async function check(name, program, ...args) {
  heading(name);
  const failure = await run(join(ROOT, 'node_modules', '.bin', program), args, {
    cwd: ROOT,
    limitMs: 3 * MINUTE,
  });
  if (failure === undefined) passed.push(name);
  else failed.push(`${name}: ${failure}`);
}

async function jest(name, project, { node = process.execPath, limitMs, options = [] }) {
  heading(name);
  const output = join(results, `${project}-${passed.length}.json`);
  const program = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = [program, '--selectProjects', project, '--ci', '--json', '--outputFile', output, ...options];
  const failure = await run(node, args, { cwd: ROOT, limitMs });
  const before = failed.length;
  if (existsSync(output)) count(name, JSON.parse(readFileSync(output, 'utf8')));
  if (failure !== undefined && failed.length === before) failed.push(`${name}: ${failure}`);
}

/** Adds what jest found. A file that does not even load has no tests to count: it is one failure. */
function count(name, { testResults }) {
  for (const file of testResults) {
    const label = title => `${name}: ${title}`;
    const before = failed.length;
    for (const { status, fullName } of file.assertionResults) {
      if (status === 'passed') passed.push(label(fullName));
      else if (status === 'failed') failed.push(label(fullName));
      else skipped.push(label(fullName));
    }
    if (file.status === 'failed' && failed.length === before) failed.push(label(file.name));
  }
}

async function unitTestsOnNode24() {
  const name = `Unit tests on Node ${NODE_24}`;
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
    skipped.push(`${name} (skipped: no such package for ${process.platform}-${process.arch})`);
    return;
  }
  try {
    const folder = cachedPackage(`node-linux-${process.arch}`, NODE_24);
    await jest(name, 'unit', { node: join(folder, 'bin', 'node'), limitMs: 2 * MINUTE });
  } catch (error) {
    failed.push(`${name}: ${error.message}`);
  }
}

/** Its first build takes some minutes, which must not count against the tests that use it. */
async function controlPlane() {
  const name = 'Kubernetes control plane';
  heading(name);
  const failure = await run(join(ROOT, 'bin', 'kube-northbound'), ['sandbox', 'fetch', '--kubernetes'], {
    cwd: ROOT,
    limitMs: 40 * MINUTE,
    explains: true,
  });
  if (failure === undefined) return;
  skipped.push(`${name} (skipped: ${failure})`);
  // Tests that need it skip themselves: they need not find out again.
  process.env.KUBE_NORTHBOUND_NO_CONTROL_PLANE = failure;
}

const STEPS = [
  () => check('Format and lint', 'biome', 'check', '.'),
  () => check('Types', 'tsc', '--noEmit'),
  () => check('Unused files, exports and packages', 'knip'),
  () => jest('Unit tests', 'unit', { limitMs: 2 * MINUTE }),
  unitTestsOnNode24,
  controlPlane,
  () => jest('Integration tests', 'integration', { limitMs: 15 * MINUTE }),
  () => jest('End-to-end tests', 'e2e', { limitMs: 20 * MINUTE, options: ['--runInBand'] }),
  () => jest('Rights in the Kubernetes cluster', 'rights', { limitMs: MINUTE }),
];

function summary() {
  const list = (title, names) => (names.length === 0 ? [] : ['', `${title}:`, ...names.map(it => `  ${it}`)]);
  const counts = `${passed.length} passed, ${failed.length} failed`;
  const last = skipped.length === 0 ? counts : `${counts}, ${skipped.length} skipped`;
  return [...list('Skipped', skipped), ...list('Failed', failed), '', last, ''].join('\n');
}

try {
  for (const step of STEPS) {
    if (interruption() === undefined) await step();
  }
} finally {
  rmSync(results, { recursive: true, force: true });
}
if (interruption() !== undefined) failed.push(`interrupted by ${interruption()}`);
process.stdout.write(summary());
if (interruption() !== undefined) process.exitCode = 128 + constants.signals[interruption()];
else if (failed.length > 0) process.exitCode = 1;
