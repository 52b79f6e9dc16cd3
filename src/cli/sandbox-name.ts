import { type Command, Option } from 'commander';
import type { LogLevel } from '../observe/log.ts';

export interface NameOption {
  readonly name: string;
  readonly logLevel?: LogLevel;
}

/** Adds `--name`, by which several sandboxes are told apart. */
export function addName(command: Command): Command {
  return command.addOption(new Option('--name <name>', 'the name of the sandbox').default('default'));
}
