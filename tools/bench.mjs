/**
 * Runs the benchmarks (`test/bench/`, docs/benchmarks.md) against real databases, outside of the tests: bundles them into
 * a folder of their own and hands the arguments on.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Each is a program: the measured ones have a process of their own. */
const PROGRAMS = [
  new URL('../test/bench/main.ts', import.meta.url),
  new URL('../test/bench/cold-sync.ts', import.meta.url),
  new URL('../test/bench/raw-replay.ts', import.meta.url),
  new URL('../test/bench/cluster/create-pods.ts', import.meta.url),
  new URL('../test/bench/cluster/watch-pods.ts', import.meta.url),
  new URL('../test/bench/cluster/watch-ports.ts', import.meta.url),
  new URL('../test/bench/cluster/keep-pods.ts', import.meta.url),
  new URL('../test/bench/cluster/memory-probe.ts', import.meta.url),
];

/** What the benchmarks share with the tests: it looks for files by its own place, and knows jest. */
const SHARED = {
  name: 'shared',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /[/\\](?:test[/\\]support|src[/\\]sandbox)[/\\].*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('__dirname', JSON.stringify(dirname(path))),
      loader: 'ts',
    }));
    onResolve({ filter: /^@jest\/globals$/ }, ({ path }) => ({ path, namespace: 'no-jest' }));
    onLoad({ filter: /.*/, namespace: 'no-jest' }, () => ({
      contents: 'export const describe = undefined, it = undefined;',
    }));
  },
};

const folder = mkdtempSync(join(tmpdir(), 'bench-'));
try {
  await build({
    entryPoints: PROGRAMS.map(url => fileURLToPath(url)),
    outdir: folder,
    outbase: join(ROOT, 'test', 'bench'),
    plugins: [SHARED],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    // Packages that are no ES modules ask for Node's modules by `require`.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  process.exitCode = await run([join(folder, 'main.mjs'), ...process.argv.slice(2)]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Runs Node with this terminal as its output, and passes on the wish to end; the program cleans up after itself. */
function run(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: 'inherit', cwd: ROOT });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('exit', code => resolve(code ?? 1));
  });
}
