/**
 * Following resources of the API server: a {@link Reflector} lists and watches one, and tells its listener each object
 * that comes, changes or goes, once, in one shape. `run(signal)` resolves when the signal has stopped it.
 */
export type { WatchClock } from './clock.ts';
export { Reflector, type ReflectorListener, type ReflectorOptions } from './reflector.ts';
export type { WatchedResource } from './resource.ts';
