import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { poll } from './poll.ts';
import { isAlive, type ProcessFacts, processOf, signalProcess } from './proc.ts';
import type { CommandLine } from './run-command.ts';

/** A long-lived program of a sandbox: all that is needed to start it, at first and again. */
export interface ProcessSpec {
  /** As `status`, `kill` and `start` call it, e.g. `northd` or `worker-1/vswitchd`. */
  readonly name: string;
  readonly command: CommandLine;
  readonly env?: Readonly<Record<string, string>>;
  readonly pidfile: string;
  /** A text that only this program has in its command line. */
  readonly marker: string;
  /** Takes standard output and error. */
  readonly output: string;
  /** A daemon goes into the background by itself once it is ready, and writes its pidfile; a service does neither. */
  readonly kind: 'daemon' | 'service';
}

/** A process of the sandbox could not be started or ended. The message names it. */
class ProcessError extends Error {
  override readonly name = 'ProcessError';
}

const START_TIMEOUT = 60_000;
const STOP_TIMEOUT = 10_000;

/** The program's process, if it runs. */
export function findProcess(spec: ProcessSpec): ProcessFacts | undefined {
  return processOf(spec.pidfile, spec.marker);
}

/** Starts a program and gives its process; a daemon is ready then. Rejects with {@link ProcessError}. */
export async function startProcess(spec: ProcessSpec): Promise<ProcessFacts> {
  const running = findProcess(spec);
  if (running) throw new ProcessError(`${spec.name} runs already (pid ${running.pid})`);
  const env = { ...process.env, ...spec.env };
  const { file, args } = spec.kind === 'daemon' ? spec.command : withPidfile(spec.command, spec.pidfile);
  // Never a pipe: the program outlives us.
  const output = openSync(spec.output, 'a');
  try {
    const child = spawn(file, args, { env, detached: true, cwd: '/', stdio: ['ignore', output, output] });
    child.unref();
    const ended = new Promise<string>(resolve => {
      child.once('error', error => resolve(error.message));
      child.once('exit', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? code}`));
    });
    return await (spec.kind === 'daemon' ? untilDetached(spec, ended) : untilRunning(spec, ended));
  } finally {
    closeSync(output);
  }
}

/** Ends a program: asks it, and insists after `patience` ms. One that does not run is no error. */
export async function stopProcess(spec: ProcessSpec, patience = STOP_TIMEOUT): Promise<void> {
  const target = findProcess(spec);
  if (target) {
    signalProcess(target, 'SIGTERM');
    // A stopped process takes no notice of SIGTERM until it goes on.
    signalProcess(target, 'SIGCONT');
    const gone = await poll(patience, () => !isAlive(target), 20);
    if (!gone) await killAndWait(spec.name, target);
  }
  await rm(spec.pidfile, { force: true });
}

/** Ends a program by SIGKILL, as a crash would. Rejects with {@link ProcessError} where it does not run. */
export async function killProcess(spec: ProcessSpec): Promise<void> {
  const target = findProcess(spec);
  if (!target) throw new ProcessError(`${spec.name} does not run`);
  await killAndWait(spec.name, target);
}

async function killAndWait(name: string, target: ProcessFacts): Promise<void> {
  signalProcess(target, 'SIGKILL');
  const gone = await poll(STOP_TIMEOUT, () => !isAlive(target), 10);
  if (!gone) throw new ProcessError(`${name} (pid ${target.pid}) outlives SIGKILL`);
}

/** The shell writes the pidfile and then becomes the program, so that no process runs unrecorded. */
function withPidfile({ file, args }: CommandLine, pidfile: string): CommandLine {
  return { file: 'sh', args: ['-c', 'echo "$$" >"$0" && exec "$@"', pidfile, file, ...args] };
}

async function untilDetached(spec: ProcessSpec, ended: Promise<string>): Promise<ProcessFacts> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<string>(resolve => {
    timer = setTimeout(() => resolve('does not get ready'), START_TIMEOUT);
  });
  const failure = await Promise.race([ended, timeout]);
  clearTimeout(timer);
  const found = findProcess(spec);
  if (failure !== '' || !found) throw startFailure(spec, failure || 'ended at once');
  return found;
}

async function untilRunning(spec: ProcessSpec, ended: Promise<string>): Promise<ProcessFacts> {
  let failure: string | undefined;
  void ended.then(reason => {
    failure = reason || 'ended at once';
  });
  const found = await poll(START_TIMEOUT, () => failure !== undefined || findProcess(spec), 10);
  if (!found || found === true) throw startFailure(spec, failure ?? 'does not start');
  return found;
}

function startFailure(spec: ProcessSpec, reason: string): ProcessError {
  const last = readFileSync(spec.output, 'utf8').trim().split('\n').slice(-3).join(' | ');
  return new ProcessError(`${spec.name} ${reason}; the end of ${spec.output}: ${last || '(empty)'}`);
}
