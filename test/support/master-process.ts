import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MasterStatus } from '../../src/master/status-file.ts';
import { keepAuditLogOfSandbox } from './audit.ts';

const command = join(__dirname, '../../bin/kube-northbound');

/** Polls until `check` gives something; fails with the last words after `timeout` ms. */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  timeout = 10_000,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const found = await check();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`not within ${timeout} ms: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs our command to its end. What a sandbox knows of its API server is kept before the sandbox goes. */
export function kubeNorthbound(args: readonly string[], input?: string): Promise<Finished> {
  if (args[0] === 'sandbox' && args[1] === 'down') keepAuditLogOfSandbox(args);
  return runToEnd(command, args, { input });
}

/** Runs any command to its end. `interrupt` sends it SIGINT, as Ctrl-C would. */
export async function runToEnd(
  file: string,
  args: readonly string[],
  options: { readonly input?: string | undefined; readonly interrupt?: AbortSignal } = {},
): Promise<Finished> {
  const child = spawn(file, args, { stdio: 'pipe' });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', chunk => {
    output.stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    output.stderr += chunk;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  options.interrupt?.addEventListener('abort', () => child.kill('SIGINT'));
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  return { code, ...output };
}

/** A folder of manifests that a test changes. */
export class ManifestFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'manifests-'));

  /** Writes objects, or text as it is, into a file. */
  write(file: string, content: string | readonly object[]): void {
    const text =
      typeof content === 'string'
        ? content
        : JSON.stringify({ apiVersion: 'v1', kind: 'List', items: content });
    mkdirSync(this.path, { recursive: true });
    writeFileSync(join(this.path, file), text);
  }

  remove(file: string): void {
    rmSync(join(this.path, file));
  }

  destroy(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A long-lived `kube-northbound master`. */
export class MasterProcess {
  readonly #args: readonly string[];
  readonly #statusFile: string;
  #child: ChildProcess | undefined;
  log = '';

  constructor(options: { readonly folder: string; readonly args: readonly string[] }) {
    this.#statusFile = join(options.folder, 'status.json');
    this.#args = ['master', ...options.args, '--status-file', this.#statusFile];
  }

  start(): void {
    rmSync(this.#statusFile, { force: true });
    const child = spawn(command, this.#args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr?.on('data', chunk => {
      this.log += chunk;
    });
    this.#child = child;
  }

  /** The status as it is on disk now. */
  status(): MasterStatus | undefined {
    return existsSync(this.#statusFile) ? JSON.parse(readFileSync(this.#statusFile, 'utf8')) : undefined;
  }

  /** Waits for a synced status that is as wanted. */
  synced(wanted: (status: MasterStatus) => boolean = () => true, timeout?: number): Promise<MasterStatus> {
    return eventually(
      'a synced status',
      () => {
        const status = this.status();
        return status?.synced && wanted(status) ? status : undefined;
      },
      timeout,
    );
  }

  /** Makes a change and waits until the master has taken it in and the database shows it. */
  async after(change: () => void): Promise<MasterStatus> {
    const before = this.status()?.generation ?? 0;
    change();
    return this.synced(({ generation }) => generation > before);
  }

  /** Ends it by a signal; resolves to its exit code. */
  async end(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>(resolve => child.once('close', resolve));
    child.kill(signal);
    return ended;
  }

  /** Sends a signal that does not end it. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal);
  }

  /** Resolves to the exit code of a master that ends by itself. */
  ended(): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null) return Promise.resolve(child?.exitCode ?? null);
    return new Promise(resolve => child.once('close', resolve));
  }
}
