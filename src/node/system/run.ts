import { spawn } from 'node:child_process';

/** How a program is run. Injected, so that what runs it can be tested without root. */
export type Run = (command: readonly [string, ...string[]], input?: string) => Promise<string>;

/** A program that could not be started, was killed, ran too long, or ended with another status than 0. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** No command of ours takes a second; one that takes this long hangs. */
const TIMEOUT_MS = 20_000;

/** Runs a program with `input` on its standard input; gives its standard output. Throws {@link CommandError}. */
export const run: Run = (command, input = '') => runWithin(TIMEOUT_MS, command, input);

export function runWithin(
  ms: number,
  command: readonly [string, ...string[]],
  input: string,
): Promise<string> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const fail = (reason: string) => reject(new CommandError(`${command.join(' ')}: ${reason}`));
    const child = spawn(program, args, { stdio: 'pipe' });
    // spawn's own time limit would go on running, and keep the process alive, where the program cannot be started.
    const timer = setTimeout(() => child.kill('SIGKILL'), ms);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', error => {
      clearTimeout(timer);
      fail(error.message);
    });
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      if (status === 0) resolve(stdout);
      else if (signal !== null) fail(`ended by ${signal} (allowed time: ${ms} ms)`);
      else fail(`${stderr.trim() || 'no message'} (status ${status})`);
    });
    // A program that ends without reading its input says why by its status, not by our broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
