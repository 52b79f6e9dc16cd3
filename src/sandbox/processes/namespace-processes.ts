import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { NETNS_FOLDER } from '../hosts/netns-mount.ts';
import { poll } from './poll.ts';
import { isAlive, type ProcessFacts, readProcess, signalProcess } from './proc.ts';

const TIMEOUT = 10_000;

/** Every process but ourselves that runs in one of these network namespaces. */
function processesIn(namespaces: readonly string[]): readonly ProcessFacts[] {
  const ids = new Set(namespaces.map(name => `net:[${statSync(join(NETNS_FOLDER, name)).ino}]`));
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry) && entry !== String(process.pid) && ids.has(namespaceOf(entry)))
    .flatMap(pid => readProcess(Number(pid)) ?? []);
}

/** Ends whatever runs in the namespaces: hosts that are taken away take their processes along. */
export async function emptyNamespaces(namespaces: readonly string[]): Promise<void> {
  const targets = processesIn(namespaces);
  for (const target of targets) signalProcess(target, 'SIGKILL');
  await poll(TIMEOUT, () => !targets.some(isAlive), 10);
}

function namespaceOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}
