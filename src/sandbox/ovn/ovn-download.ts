import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../contracts/log.ts';
import { fillCache } from '../cache.ts';
import { CommandError, runCommand } from '../processes/run-command.ts';
import { readDebianMirror } from './apt-mirror.ts';
import type { DebianMirror } from './apt-sources.ts';
import { type OvnRelease, ovnPackages } from './ovn-packages.ts';

/** OVN's programs cannot be had. The message says why and what else can be done. */
export class OvnRootError extends Error {
  override readonly name = 'OvnRootError';
}

const TIMEOUT = 300_000;

/**
 * Downloads OVN of a Debian release and unpacks it into the folder `target`, which must not exist. Nothing of the system
 * changes: apt works on a state of its own, and no package is installed. The folder appears whole or not at all; where
 * two do this at once, the first one's folder stays and both succeed. Rejects with {@link OvnRootError}.
 */
export async function downloadOvn(release: OvnRelease, target: string, log: Log): Promise<void> {
  await fillCache(target, async work => {
    const unpacked = join(work, 'root');
    await unpack(release, await fetchPackages(release, work, log), unpacked, log);
    return unpacked;
  });
}

/** Gives the folder of the downloaded package files. */
async function fetchPackages(release: OvnRelease, work: string, log: Log): Promise<string> {
  const mirror = await readDebianMirror();
  if (!mirror) {
    throw new OvnRootError(
      "the apt sources of this machine name no Debian mirror: install OVN's packages and use --ovn-root /",
    );
  }
  const options = await privateApt(release, mirror, work);
  const packages = join(work, 'packages');
  await mkdir(packages);
  log.info({ release, mirror: mirror.uri }, 'reading the list of packages');
  await apt([...options, 'update'], packages, `Debian ${release} at ${mirror.uri} cannot be read`);
  log.info({ release }, 'downloading OVN');
  await apt([...options, 'download', ...ovnPackages(release)], packages, `OVN of ${release} is not served`);
  return packages;
}

/** The options that keep apt away from the system's own state (apt.conf(5)). */
async function privateApt(
  release: OvnRelease,
  mirror: DebianMirror,
  work: string,
): Promise<readonly string[]> {
  const state = join(work, 'state');
  const cache = join(work, 'cache');
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
  await writeFile(join(work, 'status'), '');
  const signed = mirror.signedBy === undefined ? '' : `[signed-by=${mirror.signedBy}] `;
  await writeFile(join(work, 'sources.list'), `deb ${signed}${mirror.uri} ${release} main\n`);
  const settings = {
    'Dir::State': state,
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': cache,
    'Dir::Etc::sourcelist': join(work, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::Etc::preferences': '-',
    'Dir::Etc::preferencesparts': '-',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'APT::Update::Error-Mode': 'any',
    // The folder belongs to us alone: apt's own user could not write there.
    'APT::Sandbox::User': '',
  };
  return ['-q', ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

async function apt(args: readonly string[], cwd: string, failure: string): Promise<void> {
  try {
    await runCommand({ file: 'apt-get', args }, { cwd, timeout: TIMEOUT });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const told = error.stderr.split('\n').find(line => line.startsWith('E:')) ?? error.message;
    throw new OvnRootError(`${failure} (${told.trim()}); --ovn-root names a folder that has OVN`, {
      cause: error,
    });
  }
}

async function unpack(release: OvnRelease, packages: string, root: string, log: Log): Promise<void> {
  log.info({ release }, 'unpacking OVN');
  await mkdir(root);
  for (const name of await readdir(packages)) {
    if (!name.endsWith('.deb')) continue;
    await runCommand({ file: 'dpkg-deb', args: ['-x', join(packages, name), root] });
  }
}
