import { InvalidArgumentError } from 'commander';

/** Reads a positive number of seconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400))
    throw new InvalidArgumentError('give a number of seconds, 86400 at most');
  return value;
}
