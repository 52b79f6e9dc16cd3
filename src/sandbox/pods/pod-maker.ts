import { randomBytes } from 'node:crypto';
import { existingNamespaces } from '../hosts/netns-mount.ts';
import { ipBatch } from '../hosts/network.ts';
import { netnsName, type SandboxNode } from '../hosts/topology.ts';
import { emptyNamespaces } from '../processes/namespace-processes.ts';
import { type CniNode, cniAdd, cniDel } from './cni-runtime.ts';
import type { PodAttachment, PodRecord, PodRecords } from './pod-record.ts';
import type { PodWish } from './pod-wish.ts';
import { startResponder, stopResponder } from './responders.ts';

/** The bridge of a node that has its addresses. */
const NODE_INTERFACE = 'br-ex';

/** A node as {@link PodMaker} needs it. */
export interface PodNode extends CniNode, Pick<SandboxNode, 'addresses'> {}

/** Makes and removes single pods as a container runtime does, and keeps their records true. */
export class PodMaker {
  readonly #sandbox: string;
  readonly #nodes: ReadonlyMap<string, PodNode>;
  readonly #records: PodRecords;

  constructor(sandbox: string, nodes: ReadonlyMap<string, PodNode>, records: PodRecords) {
    this.#sandbox = sandbox;
    this.#nodes = nodes;
    this.#records = records;
  }

  /** Makes a pod. Where that fails, its record stays, and {@link remove} takes away what there is. */
  async make(wish: PodWish, signal: AbortSignal, note: (record: PodRecord) => void): Promise<void> {
    const node = this.#nodeOf(wish);
    const netns = wish.hostNetwork ? node.netns : netnsName(this.#sandbox, wish.id);
    const record: PodRecord = { ...wish, netns, sandboxId: randomBytes(32).toString('hex') };
    this.#records.write(record);
    note(record);
    const attachment = wish.hostNetwork ? hostAttachment(node) : await attach(record, node, signal);
    const attached = { ...record, attachment };
    this.#records.write(attached);
    note(attached);
    await startResponder(attached, this.#records);
  }

  /** Lets a pod answer on other ports than before. */
  async listen(
    record: PodRecord,
    ports: readonly string[],
    note: (record: PodRecord) => void,
  ): Promise<void> {
    const changed = { ...record, ports };
    this.#records.write(changed);
    note(changed);
    await startResponder(changed, this.#records);
  }

  /** Removes a pod, however far it came. */
  async remove(record: PodRecord): Promise<void> {
    await stopResponder(record, this.#records);
    if (!record.hostNetwork) await detach(record, this.#nodeOf(record));
    this.#records.remove(record);
  }

  #nodeOf({ node }: Pick<PodRecord, 'node'>): PodNode {
    const found = this.#nodes.get(node);
    if (!found) throw new Error(`the sandbox has no node ${node}`);
    return found;
  }
}

async function attach(record: PodRecord, node: PodNode, signal: AbortSignal): Promise<PodAttachment> {
  await ipBatch(undefined, [`netns add ${record.netns}`]);
  await ipBatch(record.netns, ['link set lo up']);
  return cniAdd(record, node, signal);
}

async function detach(record: PodRecord, node: PodNode): Promise<void> {
  await cniDel(record, node);
  const namespaces = existingNamespaces([record.netns]);
  if (namespaces.length === 0) return;
  await emptyNamespaces(namespaces);
  await ipBatch(
    undefined,
    namespaces.map(netns => `netns del ${netns}`),
  );
}

function hostAttachment({ addresses }: PodNode): PodAttachment {
  const ips = addresses.map(address => address.split('/')[0] ?? address);
  return { interface: NODE_INTERFACE, mac: '', ips };
}
