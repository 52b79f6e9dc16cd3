import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { HelperMessage } from './helper-side.ts';

/** How long a helping process may take at most, in ms. */
const TIMEOUT = 10 * 60_000;

/** A process beside this one that does one thing, reports and ends. */
export class Helper<Report> {
  /** It has begun, or waits for what is to come. */
  readonly ready: Promise<void>;
  readonly report: Promise<Report>;
  readonly #child: ChildProcess;

  /** `program`: one of those that `tools/bench.mjs` bundles. */
  constructor(program: string, args: readonly (string | number)[], nodeOptions: readonly string[] = []) {
    const file = fileURLToPath(new URL(`cluster/${program}.mjs`, import.meta.url));
    const child = fork(file, args.map(String), { execArgv: [...nodeOptions] });
    this.#child = child;
    const late = setTimeout(() => child.kill('SIGKILL'), TIMEOUT);
    const failed = new Promise<never>((_, reject) => {
      child.on('error', reject);
      child.on('exit', (code, signal) => {
        clearTimeout(late);
        reject(new Error(`${program} ended with ${signal ?? code} before it was done`));
      });
    });
    const heard = <T>(pick: (message: HelperMessage<Report>) => T | undefined) =>
      new Promise<T>(resolve => {
        child.on('message', (message: HelperMessage<Report>) => {
          const picked = pick(message);
          if (picked !== undefined) resolve(picked);
        });
      });
    this.ready = Promise.race([heard(message => message === 'ready' || undefined), failed]).then(() => {});
    this.report = Promise.race([
      heard(message => (message === 'ready' ? undefined : message.report)),
      failed,
    ]);
    // Whoever waits for them hears of a failure; nobody may.
    this.ready.catch(() => {});
    this.report.catch(() => {});
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
