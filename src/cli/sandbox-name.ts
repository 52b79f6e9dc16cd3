import { type Command, InvalidArgumentError, Option } from 'commander';
import { SANDBOX_NAME } from '../sandbox/index.ts';

export interface NameOption {
  readonly name: string;
}

/** Adds `--name`, by which several sandboxes are told apart. */
export function addName(command: Command): Command {
  const option = new Option('--name <name>', 'the name of the sandbox').default('default');
  return command.addOption(option.argParser(sandboxName));
}

function sandboxName(text: string): string {
  if (SANDBOX_NAME.test(text)) return text;
  throw new InvalidArgumentError('It has up to 32 of a-z, 0-9 and "-", and no "-" at its ends.');
}
