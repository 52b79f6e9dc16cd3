import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** A folder of what is fetched once: `${XDG_CACHE_HOME:-~/.cache}/kube-northbound/…`. */
export function cacheFolder(...path: readonly string[]): string {
  const given = process.env.XDG_CACHE_HOME;
  const base = given?.startsWith('/') ? given : join(homedir(), '.cache');
  return join(base, 'kube-northbound', ...path);
}

/**
 * Makes a folder of the cache. `fill` gets an empty folder beside it to work in and gives the folder in it that is to
 * become `target`, which then appears whole or not at all; where two do this at once, the first one's stays and both
 * succeed.
 */
export async function fillCache(target: string, fill: (work: string) => Promise<string>): Promise<void> {
  const parent = dirname(target);
  await mkdir(parent, { recursive: true });
  await removeLeftovers(parent);
  const work = join(parent, `.${basename(target)}.${process.pid}.${process.hrtime.bigint()}`);
  await mkdir(work);
  try {
    await rename(await fill(work), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Removes what runs left behind that were killed: their process no longer exists. */
async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = /^\..+\.(\d+)\.\d+$/.exec(name)?.[1];
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}
