import { type Cidr, formatCidr, hostAt, type Ip, lastPodHost } from '../addresses/index.ts';
import { NODE_ID } from '../contracts/annotations.ts';
import { type Problem, sameProblem } from '../contracts/refusals.ts';
import { type Conflict, type Ledger, resolveMoves } from './moves.ts';
import { NextFit } from './next-fit.ts';
import { compareSeniority } from './seniority.ts';
import type { AllocationConfig, NodeClaim, NodeIdResult } from './types.ts';

/** 0 is no id, and 1 is the cluster router's address in the join subnets: OVN-Kubernetes keeps both back, too. */
const FIRST_ID = 2;

interface Node {
  readonly name: string;
  claim: NodeClaim | undefined;
  id: number | undefined;
  result: NodeIdResult | undefined;
}

/**
 * Which node has which number. Everything that a node has exactly one of is numbered by it: its gateway's address in
 * the join subnets is the one of that number. A change may look at every node.
 */
export class NodeIds {
  readonly #joinSubnets: readonly Cidr[];
  /** At most the largest number that is exact: an IPv6 subnet has room for more. */
  readonly #last: number;
  readonly #nextFit: NextFit;
  readonly #nodes = new Map<string, Node>();
  readonly #ledger = new IdLedger();
  readonly #dirty = new Set<Node>();

  constructor({ joinSubnets }: AllocationConfig) {
    this.#joinSubnets = [...joinSubnets].sort((a, b) => a.family - b.family);
    const sizes = this.#joinSubnets.map(subnet => Number(lastPodHost(subnet)));
    this.#last = Math.min(...sizes, Number.MAX_SAFE_INTEGER);
    this.#nextFit = new NextFit(BigInt(FIRST_ID), BigInt(this.#last));
  }

  set(name: string, claim: NodeClaim | undefined): void {
    let node = this.#nodes.get(name);
    if (!node) {
      if (!claim) return;
      node = { name, claim, id: undefined, result: undefined };
      this.#nodes.set(name, node);
    }
    node.claim = claim;
    this.#dirty.add(node);
  }

  /** Looks again at all that have no id. */
  reconsider(): void {
    for (const node of this.#nodes.values()) if (node.id === undefined) this.#dirty.add(node);
  }

  /** Takes back what no object names. */
  forgetUnnamed(): void {
    for (const node of this.#nodes.values()) {
      if (node.id === undefined || node.claim?.requestedId === node.id) continue;
      this.#ledger.delete(node.id);
      node.id = undefined;
      this.#dirty.add(node);
    }
  }

  /** What has changed since the last call. `allocate`: whether those that have and name none are given one. */
  settle(allocate: boolean): ReadonlyMap<string, NodeIdResult | undefined> {
    if (this.#dirty.size === 0) return new Map();
    for (const node of this.#nodes.values()) if (node.result?.error !== undefined) this.#dirty.add(node);
    const nodes = [...this.#dirty].sort(compareSeniority);
    this.#dirty.clear();
    const plans = new Map(nodes.map(node => [node, this.#planOf(node)]));
    const movers = nodes.map(who => ({ who, has: listOf(who.id), wants: listOf(plans.get(who)?.id) }));
    const stuck = resolveMoves(movers, this.#ledger);
    for (const { who, wants } of movers) {
      if (stuck.has(who)) continue;
      who.id = wants[0];
      if (who.id !== undefined) this.#nextFit.skip(BigInt(who.id));
    }
    const changed = new Map<string, NodeIdResult | undefined>();
    for (const node of nodes) {
      const conflict = stuck.get(node);
      const error = conflict ? describeConflict(conflict) : plans.get(node)?.error;
      const result =
        node.claim && this.#resultOf(node, error ?? (allocate ? this.#allocate(node) : undefined));
      if (!isSame(node.result, result)) changed.set(node.name, result);
      node.result = result;
      if (!node.claim) this.#nodes.delete(node.name);
    }
    return changed;
  }

  #planOf({ claim, id }: Node): { readonly id: number | undefined; readonly error?: Problem } {
    if (!claim) return { id: undefined };
    const error = claim.idProblem ?? this.#requestError(claim.requestedId);
    return error === undefined ? { id: claim.requestedId ?? id } : { id, error };
  }

  #requestError(id: number | undefined): Problem | undefined {
    if (id === undefined || (id >= FIRST_ID && id <= this.#last)) return undefined;
    const join = this.#joinSubnets.map(formatCidr).join(' and ');
    const text = `node id ${id} has no address in the join subnets: those of ${join} go from ${FIRST_ID} to ${this.#last}; remove ${NODE_ID}`;
    return { kind: 'NodeIdUnusable', text };
  }

  /** Gives a node that has none an id; returns why that is not possible. */
  #allocate(node: Node): Problem | undefined {
    if (!node.claim || node.id !== undefined) return undefined;
    const id = this.#nextFit.next(candidate => (this.#ledger.has(Number(candidate)) ? candidate : undefined));
    if (id === undefined) return this.#exhausted();
    node.id = Number(id);
    this.#ledger.add(node.id, node);
    return undefined;
  }

  #exhausted(): Problem {
    const join = this.#joinSubnets.map(formatCidr).join(' and ');
    const text = `all node ids from ${FIRST_ID} to ${this.#last} are in use, as many as ${join} has addresses for; make joinSubnets larger`;
    return { kind: 'NodeIdsExhausted', text };
  }

  #resultOf({ id }: Node, error: Problem | undefined): NodeIdResult {
    const joinIps: readonly Ip[] =
      id === undefined ? [] : this.#joinSubnets.map(subnet => hostAt(subnet, id));
    return error === undefined ? { id, joinIps } : { id, joinIps, error };
  }
}

class IdLedger implements Ledger<number, Node> {
  readonly #holders = new Map<number, Node>();

  has(id: number): boolean {
    return this.#holders.has(id);
  }

  holderOf(id: number): Node | undefined {
    return this.#holders.get(id);
  }

  add(id: number, holder: Node): void {
    this.#holders.set(id, holder);
  }

  delete(id: number): void {
    this.#holders.delete(id);
  }

  same(a: number, b: number): boolean {
    return a === b;
  }
}

function describeConflict({ resource, holder }: Conflict<number, Node>): Problem {
  const text = `node id ${resource} is that of Node ${holder.name}; remove ${NODE_ID}, and the Node is given another`;
  return { kind: 'NodeIdConflict', text };
}

function listOf(id: number | undefined): readonly number[] {
  return id === undefined ? [] : [id];
}

function isSame(a: NodeIdResult | undefined, b: NodeIdResult | undefined): boolean {
  if (!a || !b) return a === b;
  return a.id === b.id && sameProblem(a.error, b.error);
}
