import { randomBytes } from 'node:crypto';
import { existingNamespaces } from '../hosts/netns-mount.ts';
import { ipBatch } from '../hosts/network.ts';
import { netnsName } from '../hosts/topology.ts';
import { emptyNamespaces } from '../processes/namespace-processes.ts';
import { type CniNode, cniAdd, cniDel } from './cni-runtime.ts';
import type { PodRecord, PodRecords } from './pod-record.ts';
import type { PodWish } from './pod-wish.ts';
import { startResponder, stopResponder } from './responders.ts';

/** Makes and removes single pods as a container runtime does, and keeps their records true. */
export class PodMaker {
  readonly #sandbox: string;
  readonly #nodes: ReadonlyMap<string, CniNode>;
  readonly #records: PodRecords;

  constructor(sandbox: string, nodes: ReadonlyMap<string, CniNode>, records: PodRecords) {
    this.#sandbox = sandbox;
    this.#nodes = nodes;
    this.#records = records;
  }

  /** Makes a pod. Where that fails, its record stays, and {@link remove} takes away what there is. */
  async make(wish: PodWish, signal: AbortSignal, note: (record: PodRecord) => void): Promise<void> {
    const { id, namespace, name, uid, node, ports } = wish;
    const netns = netnsName(this.#sandbox, id);
    const sandboxId = randomBytes(32).toString('hex');
    const record: PodRecord = { id, namespace, name, uid, node, netns, sandboxId, ports };
    this.#records.write(record);
    note(record);
    await ipBatch(undefined, [`netns add ${netns}`]);
    await ipBatch(netns, ['link set lo up']);
    const attached = { ...record, attachment: await cniAdd(record, this.#nodeOf(record), signal) };
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
    await cniDel(record, this.#nodeOf(record));
    const namespaces = existingNamespaces([record.netns]);
    await emptyNamespaces(namespaces);
    if (namespaces.length > 0)
      await ipBatch(
        undefined,
        namespaces.map(netns => `netns del ${netns}`),
      );
    this.#records.remove(record);
  }

  #nodeOf({ node }: PodRecord): CniNode {
    const found = this.#nodes.get(node);
    if (!found) throw new Error(`the sandbox has no node ${node}`);
    return found;
  }
}
