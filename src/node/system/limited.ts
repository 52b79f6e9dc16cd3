import type { Run } from './run.ts';

/**
 * Runs at most `limit` programs at the same time. Those that wait start in the order in which they came, so that none
 * starves; a program's own time limit counts from its start.
 */
export function limited(run: Run, limit: number): Run {
  const waiting: (() => void)[] = [];
  let running = 0;
  const leave = () => {
    const next = waiting.shift();
    // A place is handed over, so that nobody who comes in between takes it.
    if (next) next();
    else running -= 1;
  };
  return async (command, input) => {
    if (running < limit) running += 1;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await run(command, input);
    } finally {
      leave();
    }
  };
}
