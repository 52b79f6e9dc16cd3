import type { Log } from '../../src/contracts/log.ts';

const nothing = () => {};

/** A log for tests that look at none. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
