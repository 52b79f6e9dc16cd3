/** Runs one program at a time for `test.mjs`, within a time limit, and takes it along when the tests are interrupted. */
import { spawn } from 'node:child_process';
import process from 'node:process';

/** A program that ignores the request to end is killed after this. */
const GRACE_MS = 10_000;
const SAID_CHARACTERS = 2_000;

let current;
let interruptedBy;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interruptedBy ??= signal;
    if (current !== undefined) end(current, signal);
  });
}

/** The signal that asked the tests to stop, if one did. */
export const interruption = () => interruptedBy;

/**
 * Runs a program with this terminal as its output. Returns undefined on success, else what went wrong: the last line of
 * its standard error where it is asked to explain itself.
 */
export function run(file, args, { cwd, limitMs, explains = false }) {
  return new Promise(resolve => {
    let reason;
    let said = '';
    const child = spawn(file, args, { cwd, stdio: ['ignore', 'inherit', explains ? 'pipe' : 'inherit'] });
    child.stderr?.on('data', chunk => {
      process.stderr.write(chunk);
      said = (said + chunk).slice(-SAID_CHARACTERS);
    });
    current = child;
    const limit = setTimeout(() => {
      reason = `took longer than ${limitMs / 1000} s`;
      end(child, 'SIGTERM');
    }, limitMs);
    const finish = failure => {
      clearTimeout(limit);
      current = undefined;
      resolve(failure);
    };
    child.on('error', error => finish(`does not start: ${error.message}`));
    child.on('close', (code, signal) => {
      if (code === 0 && reason === undefined) finish(undefined);
      else if (code > 0 && reason === undefined && said.trim() !== '') finish(said.trim().split('\n').at(-1));
      else finish(reason ?? (signal === null ? `exit code ${code}` : `ended by ${signal}`));
    });
  });
}

function end(child, signal) {
  child.kill(signal);
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
}
