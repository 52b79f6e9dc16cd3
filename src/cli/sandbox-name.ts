import { type Command, Option } from 'commander';

export interface NameOption {
  readonly name: string;
}

/** Adds `--name`, by which several sandboxes are told apart. */
export function addName(command: Command): Command {
  return command.addOption(new Option('--name <name>', 'the name of the sandbox').default('default'));
}
