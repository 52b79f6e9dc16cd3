import process from 'node:process';

/** Of a process, in bytes. */
export interface Memory {
  /** What is in use after a garbage collection. */
  readonly heap: number;
  /** What the machine gives it. */
  readonly rss: number;
}

/** Of this process, after a garbage collection; it must have been started with `--expose-gc`. */
export function memoryNow(): Memory {
  const { gc } = globalThis;
  if (!gc) throw new Error('memory is measured with --expose-gc only');
  // The second one takes what the finalizers of the first have let go.
  gc();
  gc();
  const { heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed, rss };
}
