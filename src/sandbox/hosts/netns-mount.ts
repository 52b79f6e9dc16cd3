import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunPaths } from '../paths.ts';
import { runCommand } from '../processes/run-command.ts';

/** Where ip-netns(8) keeps the names of namespaces. */
export const NETNS_FOLDER = '/run/netns';

/** The folder in which it is remembered whose mount it is. */
type Base = Pick<RunPaths, 'base'>;

/** Says that `ip netns` mounted {@link NETNS_FOLDER} for a sandbox of ours, and not for others before. */
const marker = (paths: Base) => join(paths.base, '.netns-mount');

/** The namespaces of these names that exist, each once. */
export function existingNamespaces(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter(name => existsSync(join(NETNS_FOLDER, name)));
}

/** Remembers, before the first namespace is made, whether the machine had any. */
export function noteNetnsMount(paths: Base): void {
  if (!isMounted()) writeFileSync(marker(paths), '');
}

/**
 * Undoes the mount where it is ours and nobody has a namespace left. Where only others have some, it is theirs from now
 * on.
 */
export async function removeNetnsMount(paths: Base): Promise<void> {
  if (!existsSync(marker(paths))) return;
  const namespaces = existsSync(NETNS_FOLDER) ? readdirSync(NETNS_FOLDER) : [];
  const sandboxes = readdirSync(paths.base).filter(name => !name.startsWith('.'));
  if (namespaces.length > 0 && sandboxes.length > 0) return;
  rmSync(marker(paths));
  if (namespaces.length > 0 || !isMounted()) return;
  await runCommand({ file: 'umount', args: [NETNS_FOLDER] });
  await rmdir(NETNS_FOLDER);
}

function isMounted(): boolean {
  // proc_pid_mountinfo(5): the fifth field is the mount point.
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.some(line => line.split(' ')[4] === NETNS_FOLDER);
}
