import process from 'node:process';

/** Milliseconds: passed, and spent by this process, which another one that wants the processor does not lengthen. */
export interface Times {
  readonly ms: number;
  readonly cpu: number;
}

/** Starts a clock; the answer reads it. */
export function startClock(): () => Times {
  const start = performance.now();
  const before = process.cpuUsage();
  return () => {
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(before);
    return { ms, cpu: (user + system) / 1000 };
  };
}
