/** Ends a command with an exit code; an empty message says nothing, as everything has been said already. */
export class ExitError extends Error {
  override readonly name = 'ExitError';
  readonly exitCode: number;

  constructor(exitCode: number, message = '') {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The caller used the command wrongly: exit code 2. */
export class UsageError extends ExitError {
  constructor(message: string) {
    super(2, message);
  }
}
