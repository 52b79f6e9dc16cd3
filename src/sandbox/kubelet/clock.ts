/** Time in ms since 1970, and a call in the future. */
export interface KubeletClock {
  now(): number;
  /** Calls `action` after `ms`; the result takes it back. */
  after(ms: number, action: () => void): () => void;
}

export const systemClock: KubeletClock = {
  now: () => Date.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/** The time as Kubernetes' `Time` has it: RFC 3339, in seconds. */
export function timeText(clock: KubeletClock): string {
  return `${new Date(clock.now()).toISOString().slice(0, 19)}Z`;
}

/** The time as Kubernetes' `MicroTime` has it: RFC 3339 with exactly six digits after the point. */
export function microTimeText(clock: KubeletClock): string {
  return new Date(clock.now()).toISOString().replace('Z', '000Z');
}
