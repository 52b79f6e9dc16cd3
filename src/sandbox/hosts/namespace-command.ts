import type { CommandLine } from '../processes/run-command.ts';

/** A program inside a network namespace. ip(8) becomes the program, so its pid is the program's. */
export function inNamespace(netns: string, { file, args }: CommandLine): CommandLine {
  return { file: 'ip', args: ['netns', 'exec', netns, file, ...args] };
}
