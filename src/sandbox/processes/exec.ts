import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { CommandLine } from './run-command.ts';

/**
 * Runs a program with our own standard input, output and error, and gives its exit code: 128 and the signal's number
 * where a signal ended it, as a shell does. Signals that we get go to the program.
 */
export function runThrough(
  command: CommandLine,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command.file, [...command.args], {
      stdio: 'inherit',
      env: { ...process.env, ...env },
    });
    const pass = (signal: NodeJS.Signals) => child.kill(signal);
    // A terminal sends SIGINT to the program as well; it is for the program to decide.
    const ignore = () => undefined;
    process.on('SIGTERM', pass).on('SIGHUP', pass).on('SIGINT', ignore);
    const settle = () => {
      process.off('SIGTERM', pass).off('SIGHUP', pass).off('SIGINT', ignore);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      settle();
      reject(error.code === 'ENOENT' ? new Error(`${command.file} is not installed`) : error);
    });
    child.on('exit', (code, signal) => {
      settle();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
