/** Upper bounds of histograms' buckets. Durations in seconds. */

/** What is over within a second: a transaction, a reconcile, a request. */
export const SHORT = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** What passes several programs on several machines: a pod's way to its node. */
export const LONG = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** How many of something at once. */
export const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
