import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks `condition` every `interval` ms until it gives something else than undefined or false; undefined after `timeout`
 * ms. It always asks at least once.
 */
export async function poll<T>(
  timeout: number,
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  interval = 50,
): Promise<T | undefined> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= deadline) return undefined;
    await delay(interval);
  }
}
