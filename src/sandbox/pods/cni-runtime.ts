import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { LATEST_CNI_VERSION } from '../../contracts/cni.ts';
import { inNamespace } from '../hosts/namespace-command.ts';
import { cniPlugin } from '../package-files.ts';
import type { PodAttachment, PodRecord } from './pod-record.ts';

const INTERFACE = 'eth0';
const NAME = 'kube-northbound';
const TYPE = 'kube-northbound-cni';
/** Longer than the agent waits for a pod that it does not know yet. */
const TIMEOUT = 60_000;

/** The node that a plugin runs on: its namespace, and its agent's socket. */
export interface CniNode {
  readonly netns: string;
  readonly socket: string;
}

/** The plugin answered with an error, or not at all. The message is its own. */
class CniCallError extends Error {
  override readonly name = 'CniCallError';
}

/** Attaches a pod as a container runtime does. `signal` ends the plugin, which takes the request back. */
export async function cniAdd(pod: PodRecord, node: CniNode, signal: AbortSignal): Promise<PodAttachment> {
  return readResult(await callPlugin('ADD', cniEnvironment('ADD', pod), node, signal), pod);
}

/** Detaches a pod. To detach one that was never attached is no error. */
export async function cniDel(pod: PodRecord, node: CniNode): Promise<void> {
  await callPlugin('DEL', cniEnvironment('DEL', pod), node);
}

/** Asks whether pods can be attached on a node. Rejects with the plugin's reason where they cannot. */
export async function cniStatus(node: CniNode, signal: AbortSignal): Promise<void> {
  await callPlugin('STATUS', { CNI_COMMAND: 'STATUS', CNI_PATH: cniPath() }, node, signal);
}

/** The environment of a call about a pod (CNI specification 1.1.0, section "Parameters"). */
export function cniEnvironment(command: 'ADD' | 'DEL', pod: PodRecord): Readonly<Record<string, string>> {
  const args = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: pod.namespace,
    K8S_POD_NAME: pod.name,
    K8S_POD_INFRA_CONTAINER_ID: pod.sandboxId,
    K8S_POD_UID: pod.uid,
  };
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: pod.sandboxId,
    CNI_NETNS: `/var/run/netns/${pod.netns}`,
    CNI_IFNAME: INTERFACE,
    CNI_PATH: cniPath(),
    CNI_ARGS: Object.entries(args)
      .map(([key, value]) => `${key}=${value}`)
      .join(';'),
  };
}

/** The network configuration that the plugin reads from its standard input. */
export function networkConfiguration(socket: string): string {
  return JSON.stringify({ cniVersion: LATEST_CNI_VERSION, name: NAME, type: TYPE, agentSocket: socket });
}

/** Reads the result of an ADD. Throws {@link CniCallError} where it does not tell the pod's interface. */
export function readResult(stdout: string, pod: PodRecord): PodAttachment {
  const result = parse(stdout) as {
    readonly interfaces?: readonly {
      readonly name: string;
      readonly mac?: string;
      readonly sandbox?: string;
    }[];
    readonly ips?: readonly { readonly address: string }[];
  };
  const inside = result.interfaces?.find(({ name, sandbox }) => name === INTERFACE && sandbox);
  if (!inside?.mac)
    throw new CniCallError(`ADD of ${pod.namespace}/${pod.name}: no ${INTERFACE} in the result`);
  const ips = (result.ips ?? []).map(({ address }) => address.split('/')[0] ?? address);
  return { interface: inside.name, mac: inside.mac, ips };
}

function cniPath(): string {
  return dirname(cniPlugin());
}

function callPlugin(
  command: 'ADD' | 'DEL' | 'STATUS',
  environment: Readonly<Record<string, string>>,
  node: CniNode,
  signal?: AbortSignal,
): Promise<string> {
  const env = { ...process.env, ...environment };
  const { file, args } = inNamespace(node.netns, { file: cniPlugin(), args: [] });
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: 'pipe', timeout: TIMEOUT, ...(signal && { signal }) });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', code => {
      if (code === 0) resolve(stdout);
      else reject(new CniCallError(failureText(command, stdout, stderr)));
    });
    child.stdin.on('error', () => undefined);
    child.stdin.end(networkConfiguration(node.socket));
  });
}

/** The specification's error: `code`, `msg`, `details`. */
function failureText(command: string, stdout: string, stderr: string): string {
  try {
    const { code, msg, details } = parse(stdout) as { code?: unknown; msg?: unknown; details?: unknown };
    const text = [msg, details].filter(part => part !== undefined && part !== '').join(': ');
    return `CNI ${command} failed with code ${String(code)}: ${text}`;
  } catch {
    return `CNI ${command} failed: ${(stderr || stdout).trim() || 'no word of the plugin'}`;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CniCallError(`the CNI plugin's answer is not JSON: ${text.slice(0, 200)}`, { cause });
  }
}
