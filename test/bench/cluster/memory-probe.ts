/**
 * Loaded into a process of the product before it starts, by `node --import`: tells its memory when it is asked. Needs
 * `--expose-gc`.
 */
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import { memoryNow } from './memory.ts';

if (isMainThread && process.send) {
  process.on('message', () => process.send?.(memoryNow()));
  // It must not keep the process from ending.
  process.channel?.unref();
}
