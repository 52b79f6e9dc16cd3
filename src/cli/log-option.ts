import { type Command, Option } from 'commander';
import { LOG_LEVELS, type LogLevel } from '../observe/log.ts';

export interface LogLevelOption {
  readonly logLevel: LogLevel;
}

/** Adds `--log-level` to a command. */
export function addLogLevel(command: Command): Command {
  return command.addOption(
    new Option('--log-level <level>', 'least important messages to write')
      .choices(LOG_LEVELS)
      .default('info'),
  );
}
