import { readFileSync } from 'node:fs';

/** The processor time that a process has used, in ms; Linux counts it in steps of 10 (proc(5), utime and stime). */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function readPid(pidfile: string): number {
  return Number(readFileSync(pidfile, 'utf8'));
}
