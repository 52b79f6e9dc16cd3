/** Leader election over a Lease. */
export { Election, type ElectionOptions } from './election.ts';
export { checkTiming, LEASE_TIMING, type LeaseClock, type LeaseTiming } from './timing.ts';
