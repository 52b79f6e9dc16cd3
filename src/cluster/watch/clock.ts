/** Time in ms, and a call in the future. */
export interface WatchClock {
  now(): number;
  /** Calls `action` after `ms`; the result takes it back. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: WatchClock = {
  now: () => performance.now(),
  after: (ms, action) => {
    // Timers that are due after we were busy run before the sockets are read: what has arrived is heard first.
    const timer = setTimeout(() => setImmediate(action), ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or once the signal says so. */
export function pause(ms: number, clock: WatchClock, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
