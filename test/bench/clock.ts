import process from 'node:process';

/** In milliseconds. */
export interface Times {
  readonly ms: number;
  /** Processor time of this process: others that want the processor too lengthen it less. */
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
