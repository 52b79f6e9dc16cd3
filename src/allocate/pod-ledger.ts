import { formatIp, type IpKey, ipKey, ipOfKey, macOf } from '../addresses/index.ts';
import type { Ledger } from './moves.ts';
import type { PodHolding } from './types.ts';

/** An address, or a MAC in a node's switch as `node mac`. */
export type PodResource = IpKey | string;

/** Which pod has which address, in the whole cluster, and which MAC, in its node's switch. */
export class PodLedger<T> implements Ledger<PodResource, T> {
  readonly #holders = new Map<PodResource, T>();

  holderOf(resource: PodResource): T | undefined {
    return this.#holders.get(resource);
  }

  add(resource: PodResource, holder: T): void {
    this.#holders.set(resource, holder);
  }

  delete(resource: PodResource): void {
    this.#holders.delete(resource);
  }

  same(a: PodResource, b: PodResource): boolean {
    return a === b;
  }
}

/** All that a pod occupies by having these addresses. Its MAC follows from its first address unless it asked for one. */
export function resourcesOf(holding: PodHolding | undefined): readonly PodResource[] {
  const [first] = holding?.ips ?? [];
  if (!holding || !first) return [];
  return [...holding.ips.map(ipKey), macResource(holding.node, holding.mac ?? macOf(first))];
}

export function macResource(node: string, mac: string): PodResource {
  return `${node} ${mac}`;
}

/** For messages: `address 10.128.0.5`, `MAC 0a:58:… on node a`. */
export function describeResource(resource: PodResource): string {
  if (typeof resource === 'string' && resource.includes(' ')) {
    const [node, mac] = resource.split(' ');
    return `MAC ${mac} on node ${node}`;
  }
  return `address ${formatIp(ipOfKey(resource))}`;
}
