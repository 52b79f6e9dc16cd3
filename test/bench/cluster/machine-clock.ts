import process from 'node:process';

/** Milliseconds by the machine's own clock, which all processes share and nobody sets (clock_gettime(2), CLOCK_MONOTONIC). */
export function machineTime(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
