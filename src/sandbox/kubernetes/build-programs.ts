import { spawn } from 'node:child_process';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Log } from '../../contracts/log.ts';
import { CommandError, runCommand } from '../processes/run-command.ts';

/** The programs of a control plane cannot be had. The message says why and what else can be done. */
export class ControlPlaneError extends Error {
  override readonly name = 'ControlPlaneError';
}

interface BuildOptions {
  /** The folder with go.mod, whose `tool` block names the programs. */
  readonly module: string;
  /** Of Kubernetes, e.g. `1.36.3`. */
  readonly version: string;
  /** An empty folder. */
  readonly work: string;
  /** A file to lock, so that of two builds the second one finds the first one's results in Go's cache. */
  readonly lock: string;
  readonly log: Log;
}

/** In ms. The modules are some 300 MB to download; the build takes 4 minutes on two cores. */
const LIMIT = { list: 900_000, build: 3_600_000 } as const;
const TOLD_EVERY = 10_000;
const REMEDY =
  'it takes Go 1.26 and its modules, or a folder that has the programs, named by KUBEBUILDER_ASSETS';

/** Builds the programs from source and gives their folder. Rejects with {@link ControlPlaneError}. */
export async function buildPrograms(options: BuildOptions): Promise<string> {
  const { module, version, work, log } = options;
  log.info({ version }, 'building the Kubernetes control plane, once; this takes some minutes');
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  const packages = await listPackages(module, env);
  const bin = join(work, 'bin');
  await mkdir(bin);
  const build = [
    'build',
    '-v',
    '-mod=readonly',
    '-trimpath',
    '-ldflags',
    linkerFlags(version),
    '-o',
    bin,
    'tool',
  ];
  // Beside it, whatever runs on the machine goes first.
  await follow(['flock', options.lock, 'nice', '-n', '15', 'go', ...build], module, env, packages, log);
  await rename(join(bin, 'server'), join(bin, 'etcd'));
  return bin;
}

/** Downloads the modules, and tells how many packages there are to build. */
async function listPackages(cwd: string, env: NodeJS.ProcessEnv): Promise<number> {
  try {
    const command = { file: 'go', args: ['list', '-mod=readonly', '-deps', 'tool'] };
    return (await runCommand(command, { cwd, env, timeout: LIMIT.list })).trim().split('\n').length;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const told = error.stderr.trim().split('\n').at(-1) || error.message;
    throw new ControlPlaneError(`the Kubernetes control plane cannot be built (${told}); ${REMEDY}`, {
      cause: error,
    });
  }
}

/** What `kubectl version` says: without, it would be v0.0.0. */
function linkerFlags(version: string): string {
  const [major, minor] = version.split('.');
  const variables = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor };
  const set = Object.entries(variables).map(
    ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
  );
  return ['-s', '-w', ...set].join(' ');
}

/** Runs a build to its end. `go build -v` names each package on standard error when it begins with it. */
function follow(
  [file = '', ...args]: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  packages: number,
  log: Log,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'], timeout: LIMIT.build });
    let built = 0;
    let last = '';
    let told = performance.now();
    createInterface({ input: child.stderr }).on('line', line => {
      built += 1;
      last = line;
      if (performance.now() - told < TOLD_EVERY) return;
      told = performance.now();
      log.info({ percent: Math.min(99, Math.floor((100 * built) / packages)) }, 'building the control plane');
    });
    child.once('error', error => reject(failure(error.message)));
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(failure(signal === null ? last : `ended by ${signal}`));
    });
  });
}

function failure(reason: string): ControlPlaneError {
  return new ControlPlaneError(`the build of the Kubernetes control plane failed (${reason}); ${REMEDY}`);
}
