import { chmod, mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CNI_VERSIONS } from '../contracts/cni.ts';
import { DEFAULT_NETWORK } from './ovs/pod-ports.ts';
import { isCode } from './system/error-code.ts';

/** The plugin's file name, which is the `type` in network configurations. */
const PLUGIN_NAME = 'kube-northbound-cni';
/** Runtimes take the first configuration in the order of names. */
const CONFIGURATION_NAME = '10-kube-northbound.conflist';

/**
 * The list of network configurations (CNI 1.1.0, section 1). `cniVersions` is for runtimes that choose the newest
 * version that they know; others read `cniVersion` alone.
 */
export function networkConfiguration(agentSocket: string): string {
  const list = {
    cniVersion: '1.0.0',
    cniVersions: CNI_VERSIONS,
    name: DEFAULT_NETWORK,
    plugins: [{ type: PLUGIN_NAME, agentSocket }],
  };
  return `${JSON.stringify(list, null, 2)}\n`;
}

/** Copies the plugin into a runtime's folder of plugins, where it is not there already. Gives whether it was not. */
export async function installPlugin(source: string, folder: string): Promise<boolean> {
  return place(folder, PLUGIN_NAME, await readFile(source), 0o755);
}

/** Writes the network configuration into a runtime's folder. Gives whether it was not there already. */
export async function installConfiguration(folder: string, agentSocket: string): Promise<boolean> {
  return place(folder, CONFIGURATION_NAME, Buffer.from(networkConfiguration(agentSocket)), 0o644);
}

/**
 * Puts a file in place in one step: a runtime may read or start it at any moment. What is being written has a name that
 * no runtime looks at, and always the same, so that an agent that was killed leaves no trail of them.
 */
async function place(folder: string, name: string, content: Buffer, mode: number): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  if (await isThere(path, content, mode)) return false;
  const staged = join(folder, `.${name}.new`);
  await writeFile(staged, content);
  await chmod(staged, mode);
  await rename(staged, path);
  return true;
}

async function isThere(path: string, content: Buffer, mode: number): Promise<boolean> {
  try {
    const { mode: actual } = await stat(path);
    return (actual & 0o777) === mode && content.equals(await readFile(path));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}
