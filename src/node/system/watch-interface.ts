import { spawn } from 'node:child_process';
import type { Log } from '../../contracts/log.ts';

/** After this long a watcher that ended is started again. */
const RESTART_MS = 5_000;

/**
 * Calls whenever the kernel tells of a change of this interface, its addresses or its routes in the main table, as
 * `ip monitor` prints them. Gives the function that ends it.
 */
export function watchInterface(name: string, changed: () => void, log: Log): () => void {
  let end = () => {};
  const start = () => {
    const child = spawn('ip', ['-oneline', 'monitor', 'link', 'address', 'route'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      if (lines.some(line => mentions(line, name))) changed();
    });
    let timer: NodeJS.Timeout | undefined;
    const ended = (reason: string) => {
      log.warn({ reason }, `ip monitor ended; ${name} is not watched for ${RESTART_MS / 1000} s`);
      timer ??= setTimeout(() => {
        start();
        // What happened meanwhile was not seen.
        changed();
      }, RESTART_MS);
    };
    child.on('error', error => ended(error.message));
    child.on('exit', (status, signal) => ended(signal ?? `status ${status}`));
    end = () => {
      child.removeAllListeners('exit');
      child.kill();
      clearTimeout(timer);
    };
  };
  start();
  return () => end();
}

/** Whether a line of `ip -oneline monitor` is about an interface: `5: NAME    inet …`, `5: NAME: <…>`, `… dev NAME …`. */
export function mentions(line: string, name: string): boolean {
  return line.split(/[\s:]+/).includes(name);
}
