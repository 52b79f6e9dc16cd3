import { pino, stdSerializers, stdTimeFunctions } from 'pino';
import type { Log } from '../contracts/log.ts';

/** What `--log-level` takes: the least important messages that are still written. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Short lines for people instead of JSON; by default where standard error is a terminal. */
  readonly human?: boolean;
  /** Takes one line with its newline; by default it goes to standard error, at once. */
  readonly write?: (line: string) => void;
}

/**
 * A log that writes one line for each message. JSON: `level`, `time` (ISO 8601, UTC), the fields, `msg`. For people:
 * `12:34:56 WARN message field=value`; control characters are escaped in both.
 */
export function createLog(options: LogOptions): Log {
  const human = options.human ?? process.stderr.isTTY === true;
  const write = options.write ?? stderr();
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    { write: human ? line => write(humanLine(line)) : write },
  );
}

/** Written synchronously, so that the last words before an exit are not lost. */
function stderr(): (line: string) => void {
  const destination = pino.destination({ dest: 2, sync: true });
  return line => {
    destination.write(line);
  };
}

function humanLine(json: string): string {
  const { level, time, msg, ...fields }: Record<string, unknown> = JSON.parse(json);
  const clock = String(time).slice(11, 19);
  const texts = Object.entries(fields).map(([name, value]) => `${name}=${fieldText(value)}`);
  return `${[clock, String(level).toUpperCase().padEnd(5), printable(String(msg)), ...texts].join(' ')}\n`;
}

function fieldText(value: unknown): string {
  const text = typeof value === 'string' ? value : isError(value) ? value.message : JSON.stringify(value);
  return /^[^\s"=\p{C}]+$/u.test(text) ? text : printable(JSON.stringify(text));
}

function isError(value: unknown): value is { message: string } {
  return typeof value === 'object' && value !== null && 'stack' in value && 'message' in value;
}

/** JSON.stringify leaves the control characters above 127 alone; terminals obey them, too. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
