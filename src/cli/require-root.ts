import { ExitError } from './exit.ts';

/** Throws ExitError where we are not root, to whom the namespaces, processes and sockets of a sandbox belong. */
export function requireRoot(): void {
  if (process.getuid?.() !== 0)
    throw new ExitError(1, 'a sandbox needs root, to make and enter network namespaces');
}
