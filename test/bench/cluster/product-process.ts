import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { poll } from '../../../src/sandbox/processes/poll.ts';
import type { Memory } from './memory.ts';

const TIMEOUT = 60_000;

/** A command of the product as it is built, which can be asked for its memory. */
export class ProductProcess {
  /** What it has written to standard error. */
  log = '';
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<void>;

  constructor(args: readonly string[]) {
    this.#name = args[0] ?? '';
    const probe = new URL('cluster/memory-probe.mjs', import.meta.url).href;
    const file = 'bin/kube-northbound';
    this.#child = spawn(process.execPath, ['--expose-gc', '--import', probe, file, ...args], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.log += text;
    });
    this.#ended = new Promise(resolve => {
      this.#child.on('error', () => resolve()).on('close', () => resolve());
    });
  }

  /** Waits until it is as wanted; rejects with its last words where it has ended, or is not within a minute. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const hasEnded = () => this.#child.exitCode !== null || this.#child.signalCode !== null;
    await poll(TIMEOUT, () => holds() || hasEnded(), 50);
    if (holds()) return;
    const why = hasEnded() ? 'it has ended' : 'not within a minute';
    throw new Error(`kube-northbound ${this.#name}: no ${what}: ${why}: ${this.#lastWords}`);
  }

  /** What the work gives; rejects with the last words of this process where it ends meanwhile. */
  during<T>(work: Promise<T>): Promise<T> {
    const failed = this.#ended.then(() => {
      throw new Error(`kube-northbound ${this.#name} has ended: ${this.#lastWords}`);
    });
    return Promise.race([work, failed]);
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** After a garbage collection. */
  memory(): Promise<Memory> {
    return new Promise((resolve, reject) => {
      this.#child.once('message', memory => resolve(memory as Memory));
      this.#child.send('memory', error => error && reject(error));
    });
  }

  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await this.#ended;
  }

  get #lastWords(): string {
    return this.log.slice(-1500);
  }
}
