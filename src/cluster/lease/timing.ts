/** The times of a leader election, in ms. */
export interface LeaseTiming {
  /** How long a leader that says nothing counts as one. The Lease has it in whole seconds. */
  readonly duration: number;
  /** How long after its last renewal a leader stops by itself. */
  readonly renewDeadline: number;
  /** The pause between two looks at the Lease, and between two renewals. */
  readonly retryPeriod: number;
}

/** What Kubernetes' own components use. */
export const LEASE_TIMING: LeaseTiming = { duration: 15_000, renewDeadline: 10_000, retryPeriod: 2_000 };

/** Time in ms that never goes back, and a call in the future. */
export interface LeaseClock {
  now(): number;
  /** Calls `action` once, after `ms`; the result takes it back. */
  after(ms: number, action: () => void): () => void;
}

export const systemLeaseClock: LeaseClock = {
  now: () => performance.now(),
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * Throws RangeError for times with which two could lead at once, or nobody could go on leading. A leader has to stop
 * before the others may begin, with room for clocks that do not run equally fast.
 */
export function checkTiming({ duration, renewDeadline, retryPeriod }: LeaseTiming): void {
  if (duration < 1_000 || duration % 1_000 !== 0)
    throw new RangeError(`the lease lasts ${duration / 1000} s: a Lease has whole seconds, 1 at least`);
  if (renewDeadline > 0.9 * duration)
    throw new RangeError(
      `the renew deadline (${renewDeadline / 1000} s) must be at most nine tenths of the lease (${duration / 1000} s)`,
    );
  if (retryPeriod <= 0 || retryPeriod > renewDeadline / 2)
    throw new RangeError(
      `the retry period (${retryPeriod / 1000} s) must be at most half of the renew deadline (${renewDeadline / 1000} s)`,
    );
}
