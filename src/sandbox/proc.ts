import { readFileSync } from 'node:fs';

/** A running process, as /proc has it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly command: readonly string[];
  /** In clock ticks since the machine started: with the pid it tells one process from every other. */
  readonly startTime: string;
}

/** What runs under a pid; undefined where nothing does, or only a zombie. */
export function readProcess(pid: number): ProcessFacts | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // proc_pid_stat(5): the program's name stands in brackets and may hold anything, so count from the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
    if (fields[0] === 'Z' || fields[0] === 'X' || command.length === 0) return undefined;
    return { pid, command, startTime: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** The pid in a pidfile; undefined where there is no such file. */
function readPidfile(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The process of a pidfile, if it is still the one that wrote it: an argument of its command line has `marker` in it, a
 * path that no other program is given. A pid is used again by strangers.
 */
export function processOf(pidfile: string, marker: string): ProcessFacts | undefined {
  const pid = readPidfile(pidfile);
  const found = pid === undefined ? undefined : readProcess(pid);
  return found?.command.some(argument => argument.includes(marker)) ? found : undefined;
}

/** Sends a signal to that very process. A process that has just ended is no error. */
export function signalProcess(target: ProcessFacts, signal: NodeJS.Signals): void {
  if (!isAlive(target)) return;
  try {
    process.kill(target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Whether that very process still runs. */
export function isAlive(target: ProcessFacts): boolean {
  return readProcess(target.pid)?.startTime === target.startTime;
}
