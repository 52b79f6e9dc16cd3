/** What is known beside the message: names, numbers, `error` for what was thrown. */
export type LogFields = Readonly<Record<string, unknown>>;

/** A log as the rooms take it, by injection. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
