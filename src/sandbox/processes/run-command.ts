import { execFile } from 'node:child_process';

/** A program and its arguments. */
export interface CommandLine {
  readonly file: string;
  readonly args: readonly string[];
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** In ms; the program is killed then. */
  readonly timeout?: number;
}

/** A program that could not be started, was killed, or ended with another code than 0. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  /** The exit code; undefined where the program did not start or was killed. */
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(message: string, exitCode: number | undefined, stdout: string, stderr: string) {
    super(message);
    this.exitCode = exitCode;
    this.stdout = stdout;
    this.stderr = stderr;
  }
}

/** Runs a program to its end and gives its standard output. Rejects with {@link CommandError} where it fails. */
export function runCommand(command: CommandLine, options: RunOptions = {}): Promise<string> {
  const { cwd, env, input = '', timeout = 60_000 } = options;
  return new Promise((resolve, reject) => {
    const child = execFile(
      command.file,
      [...command.args],
      { cwd, env, timeout, maxBuffer: 64 << 20, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (!error) return resolve(stdout);
        const exitCode = typeof error.code === 'number' ? error.code : undefined;
        reject(new CommandError(explain(command, error, stderr), exitCode, stdout, stderr));
      },
    );
    // A program that ends without reading its input is judged by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function explain(command: CommandLine, error: { code?: unknown; killed?: boolean }, stderr: string): string {
  const shown = [command.file, ...command.args].join(' ');
  const line = shown.length > 300 ? `${shown.slice(0, 300)}…` : shown;
  if (error.code === 'ENOENT') return `${command.file} is not installed`;
  const how = error.killed ? 'did not end in time' : `failed (${String(error.code ?? 'killed')})`;
  return [`${line} ${how}`, stderr.trim()].filter(part => part !== '').join(': ');
}
