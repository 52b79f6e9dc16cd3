import { readFileSync } from 'node:fs';

/** A running process, as /proc has it. */
export interface ProcessFacts {
  readonly pid: number;
  readonly command: readonly string[];
  /** In clock ticks since the machine started: with the pid it tells one process from every other. */
  readonly startTime: string;
}

/** While a process becomes another program its command line is empty for a moment. */
const READS = 200;

/** What runs under a pid; undefined where nothing does, or only a zombie. */
export function readProcess(pid: number): ProcessFacts | undefined {
  for (let read = 0; read < READS; read += 1) {
    const startTime = startTimeOf(pid);
    if (startTime === undefined) return undefined;
    const command = readText(`/proc/${pid}/cmdline`)?.split('\0').slice(0, -1) ?? [];
    if (command.length > 0) return { pid, command, startTime };
  }
  return undefined;
}

function startTimeOf(pid: number): string | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // proc_pid_stat(5): the program's name stands in brackets and may hold anything, so count from the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The pid in a pidfile; undefined where there is no such file. */
function readPidfile(path: string): number | undefined {
  const pid = Number(readText(path)?.trim());
  return Number.isInteger(pid) && pid > 1 ? pid : undefined;
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
  return startTimeOf(target.pid) === target.startTime;
}
