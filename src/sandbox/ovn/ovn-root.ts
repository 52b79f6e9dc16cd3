import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Log } from '../../contracts/log.ts';
import { cacheFolder } from '../cache.ts';
import { type CommandLine, runCommand } from '../processes/run-command.ts';
import { downloadOvn, OvnRootError } from './ovn-download.ts';
import { type OvnRelease, type Platform, platformOf } from './ovn-packages.ts';

export { OVN_RELEASES, type OvnRelease } from './ovn-packages.ts';

/** The databases that OVN and OVS have schemas for. */
export type SchemaName = 'ovn-nb' | 'ovn-sb' | 'vswitch';

/** Knows how OVN's and OVS's programs are started. */
export interface Programs {
  /**
   * How to start one of the programs, by its plain name. Throws {@link OvnRootError} where the folder lacks it. A
   * program of a private folder runs by that folder's own loader, so `/proc/PID/exe` names the loader.
   */
  command(program: string, args: readonly string[]): CommandLine;
}

/** A folder that holds OVN's and OVS's programs and schemas. */
export interface OvnRoot extends Programs {
  readonly dir: string;
  readonly versions: { readonly ovn: string; readonly ovs: string };
  schemaPath(name: SchemaName): string;
}

/** ovs-vswitchd first by its own path: the one in usr/sbin is an absolute link, which leads out of a private folder. */
const PROGRAM_FOLDERS = ['usr/lib/openvswitch-switch', 'usr/sbin', 'usr/bin'];
const SCHEMAS: Readonly<Record<SchemaName, string>> = {
  'ovn-nb': 'usr/share/ovn/ovn-nb.ovsschema',
  'ovn-sb': 'usr/share/ovn/ovn-sb.ovsschema',
  vswitch: 'usr/share/openvswitch/vswitch.ovsschema',
};

/** Every program that a sandbox starts. */
const NEEDED = [
  'ovsdb-server',
  'ovsdb-tool',
  'ovsdb-client',
  'ovs-vswitchd',
  'ovs-vsctl',
  'ovs-appctl',
  'ovn-northd',
  'ovn-controller',
  'ovn-nbctl',
  'ovn-sbctl',
  'ovn-trace',
];

/**
 * OVN of a Debian release, downloaded into `${XDG_CACHE_HOME:-~/.cache}/kube-northbound/ovn/RELEASE` when it is not there
 * yet. Safe with several at once. Rejects with {@link OvnRootError}.
 */
export async function ovnRoot(release: OvnRelease, log: Log): Promise<OvnRoot> {
  const dir = cacheFolder('ovn', release);
  if (!existsSync(dir)) {
    await downloadOvn(release, dir, log);
    log.info({ release, folder: dir }, 'OVN is there');
  }
  return ovnRootAt(dir);
}

/** OVN of a folder laid out as Debian does it; `/` is the installed one. Rejects with {@link OvnRootError}. */
export async function ovnRootAt(folder: string): Promise<OvnRoot> {
  const dir = resolve(folder);
  const command = dir === '/' ? installed : privately(dir);
  for (const program of NEEDED) command(program, []);
  for (const path of Object.values(SCHEMAS)) {
    if (!existsSync(join(dir, path))) throw new OvnRootError(`${dir} lacks ${path}`);
  }
  const [ovn, ovs] = await Promise.all([
    versionOf(command('ovn-northd', ['--version'])),
    versionOf(command('ovsdb-server', ['--version'])),
  ]);
  return { dir, versions: { ovn, ovs }, command, schemaPath: name => join(dir, SCHEMAS[name]) };
}

function installed(program: string, args: readonly string[]): CommandLine {
  return { file: programPath('/', program), args };
}

function privately(dir: string): (program: string, args: readonly string[]) => CommandLine {
  const platform = platformOf(process.arch);
  if (!platform)
    throw new OvnRootError(`no Debian packages of OVN are known for the processor ${process.arch}`);
  const libraries = libraryFolders(dir, platform);
  const loader = libraries.map(folder => join(folder, platform.loader)).find(existsSync);
  if (loader === undefined) {
    throw new OvnRootError(`${dir} lacks ${platform.loader}: it must hold libc6 beside OVN's packages`);
  }
  return (program, args) => ({
    file: loader,
    args: ['--argv0', program, '--library-path', libraries.join(':'), programPath(dir, program), ...args],
  });
}

function libraryFolders(dir: string, { triplet }: Platform): readonly string[] {
  return [join(dir, 'usr/lib', triplet), join(dir, 'lib', triplet)];
}

function programPath(dir: string, program: string): string {
  const path = PROGRAM_FOLDERS.map(folder => join(dir, folder, program)).find(existsSync);
  if (path === undefined)
    throw new OvnRootError(`${dir} lacks ${program}: install or unpack all of OVN's packages`);
  return path;
}

async function versionOf(command: CommandLine): Promise<string> {
  const text = await runCommand(command);
  return /\b(\d+\.\d+\.\d+\S*)/.exec(text)?.[1] ?? text.trim();
}
