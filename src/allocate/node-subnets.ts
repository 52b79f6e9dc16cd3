import { type Cidr, cidrsOverlap, formatCidr } from '../addresses/index.ts';
import { NODE_SUBNETS } from '../contracts/annotations.ts';
import { type Problem, sameProblem } from '../contracts/refusals.ts';
import { type Conflict, resolveMoves } from './moves.ts';
import { Pools, tooSmall } from './pools.ts';
import { compareSeniority } from './seniority.ts';
import { SubnetTable } from './subnet-table.ts';
import type { AllocationConfig, NodeClaim, NodeResult } from './types.ts';

interface Node {
  readonly name: string;
  claim: NodeClaim | undefined;
  held: readonly Cidr[];
  result: NodeResult | undefined;
}

/** What a node is to have; without an error and without subnets it needs new ones. */
interface Plan {
  readonly wants: readonly Cidr[];
  readonly error?: Problem;
}

/** Which node has which subnets. A change may look at every node. */
export class NodeSubnets {
  readonly #pools: Pools;
  readonly #nodes = new Map<string, Node>();
  readonly #table = new SubnetTable<Node>();
  readonly #dirty = new Set<Node>();
  /** Recorded for nodes that nobody has named yet: not given to others while there is anything else. */
  readonly #parked = new Map<string, readonly Cidr[]>();
  readonly #parkedTable = new SubnetTable<string>();
  readonly #objectsRemember: boolean;

  constructor(config: AllocationConfig) {
    this.#pools = new Pools(config);
    this.#objectsRemember = config.objectsRemember ?? false;
  }

  /** The node's subnets; undefined where there is no such node. */
  subnetsOf(name: string): readonly Cidr[] | undefined {
    const node = this.#nodes.get(name);
    return node?.claim && node.held;
  }

  restore(record: ReadonlyMap<string, readonly Cidr[]>): void {
    for (const [name, subnets] of record) {
      const node = this.#nodes.get(name);
      if (node?.held.length) continue;
      this.#parked.set(name, subnets);
      for (const subnet of subnets) {
        this.#parkedTable.add(subnet, name);
        this.#pools.skip(subnet);
        if (node && this.#isConfirmed(node)) this.#takeBack(subnet, record);
      }
    }
    this.reconsider();
  }

  /** Whether the record says of the node what it names itself. */
  #isConfirmed({ name, claim }: Node): boolean {
    const textOf = (subnets: readonly Cidr[] | undefined) => subnets?.map(formatCidr).sort().join();
    return claim?.requested !== undefined && textOf(claim.requested) === textOf(this.#parked.get(name));
  }

  /** Takes a subnet from those that name it without being recorded. */
  #takeBack(subnet: Cidr, record: ReadonlyMap<string, readonly Cidr[]>): void {
    for (;;) {
      const holder = this.#table.overlapping(subnet)?.holder;
      if (!holder || record.get(holder.name)?.some(own => cidrsOverlap(own, subnet))) return;
      this.#release(holder);
    }
  }

  #release(node: Node): void {
    for (const subnet of node.held) this.#table.delete(subnet);
    node.held = [];
    this.#dirty.add(node);
  }

  /** Looks again at all that have no subnet. */
  reconsider(): void {
    for (const node of this.#nodes.values()) if (node.held.length === 0) this.#dirty.add(node);
  }

  /** Takes back what no object names. */
  forgetUnnamed(): void {
    for (const node of this.#nodes.values()) {
      if (node.held.length === 0 || node.claim?.requested !== undefined) continue;
      this.#release(node);
    }
  }

  set(name: string, claim: NodeClaim | undefined): void {
    let node = this.#nodes.get(name);
    if (!node) {
      if (!claim) {
        this.#unpark(name);
        return;
      }
      node = { name, claim, held: [], result: undefined };
      this.#nodes.set(name, node);
    }
    node.claim = claim;
    this.#dirty.add(node);
  }

  /** What has changed since the last call. `allocate`: whether those that have and name none are given some. */
  settle(allocate: boolean): ReadonlyMap<string, NodeResult | undefined> {
    if (this.#dirty.size === 0) return new Map();
    for (const node of this.#nodes.values()) if (node.result?.error !== undefined) this.#dirty.add(node);
    const nodes = [...this.#dirty].sort(compareSeniority);
    this.#dirty.clear();
    this.#adopt(nodes);

    const plans = new Map(nodes.map(node => [node, this.#planOf(node)]));
    const movers = nodes.map(who => ({ who, has: who.held, wants: plans.get(who)?.wants ?? [] }));
    const stuck = resolveMoves(movers, this.#table);
    for (const { who, wants } of movers) if (!stuck.has(who)) who.held = wants;

    const changed = new Map<string, NodeResult | undefined>();
    for (const node of nodes) {
      const conflict = stuck.get(node);
      const error = conflict ? describeConflict(conflict) : plans.get(node)?.error;
      const lack = error ?? (allocate ? this.#allocate(node) : undefined);
      const result = node.claim && resultOf(node.held, lack);
      if (!isSame(node.result, result)) changed.set(node.name, result);
      node.result = result;
      if (!node.claim) this.#nodes.delete(node.name);
    }
    return changed;
  }

  #planOf({ claim, held }: Node): Plan {
    if (!claim) return { wants: [] };
    if (claim.problem !== undefined) return { wants: held, error: claim.problem };
    if (claim.requested === undefined) return { wants: held };
    const wants = [...claim.requested].sort((a, b) => a.family - b.family);
    const error = this.#requestError(wants);
    return error === undefined ? { wants } : { wants: held, error };
  }

  #requestError(subnets: readonly Cidr[]): Problem | undefined {
    const text = this.#unusable(subnets);
    return text === undefined ? undefined : { kind: 'SubnetUnusable', text };
  }

  #unusable(subnets: readonly Cidr[]): string | undefined {
    if (subnets.length === 0) return `${NODE_SUBNETS} names no subnet; name one, or remove it`;
    if (new Set(subnets.map(subnet => subnet.family)).size < subnets.length) {
      return `${subnets.map(formatCidr).join(' and ')}: a node has one subnet of each family at most; request one`;
    }
    for (const subnet of subnets) {
      const small = tooSmall(subnet);
      if (small !== undefined) return `${small}; request a larger one in ${NODE_SUBNETS}`;
      const join = this.#pools.joinSubnetIn(subnet);
      if (join) {
        return `subnet ${formatCidr(subnet)} overlaps the join subnet ${formatCidr(join)}; request another in ${NODE_SUBNETS}`;
      }
    }
    return undefined;
  }

  /** Gives a node that has nothing new subnets; returns why that is not possible. */
  #allocate(node: Node): Problem | undefined {
    if (!node.claim || node.held.length > 0) return undefined;
    let subnets = this.#pools.allocate(
      candidate => (this.#table.overlapping(candidate) ?? this.#parkedTable.overlapping(candidate))?.subnet,
    );
    if (!isList(subnets)) {
      subnets = this.#pools.allocate(candidate => this.#table.overlapping(candidate)?.subnet);
    }
    if (!isList(subnets)) return subnets;
    for (const subnet of subnets) this.#table.add(subnet, node);
    node.held = subnets;
    return undefined;
  }

  /**
   * Takes for what a node has that has nothing yet: what its object remembers, then what is recorded, before anybody
   * requests it.
   */
  #adopt(nodes: readonly Node[]): void {
    const present = nodes.filter(({ claim }) => claim !== undefined);
    if (this.#objectsRemember) {
      const confirmed = present.filter(node => this.#isConfirmed(node));
      for (const node of [...confirmed, ...present]) this.#hold(node, node.claim?.requested);
    }
    for (const node of present) this.#hold(node, this.#unpark(node.name));
  }

  #hold(node: Node, subnets: readonly Cidr[] | undefined): void {
    if (!subnets || node.held.length > 0 || this.#requestError(subnets) !== undefined) return;
    if (subnets.some(subnet => this.#table.overlapping(subnet))) return;
    node.held = [...subnets].sort((a, b) => a.family - b.family);
    for (const subnet of subnets) {
      this.#table.add(subnet, node);
      this.#pools.skip(subnet);
    }
  }

  #unpark(name: string): readonly Cidr[] | undefined {
    const subnets = this.#parked.get(name);
    this.#parked.delete(name);
    for (const subnet of subnets ?? []) this.#parkedTable.delete(subnet);
    return subnets;
  }
}

function describeConflict({ resource, holder }: Conflict<Cidr, Node>): Problem {
  const theirs = holder.held.filter(subnet => cidrsOverlap(subnet, resource)).map(formatCidr);
  const text = `subnet ${formatCidr(resource)} overlaps ${theirs} of Node ${holder.name}; request another in ${NODE_SUBNETS}`;
  return { kind: 'SubnetConflict', text };
}

function resultOf(subnets: readonly Cidr[], error: Problem | undefined): NodeResult {
  return error === undefined ? { subnets } : { subnets, error };
}

function isSame(a: NodeResult | undefined, b: NodeResult | undefined): boolean {
  if (!a || !b) return a === b;
  return (
    sameProblem(a.error, b.error) && a.subnets.map(formatCidr).join() === b.subnets.map(formatCidr).join()
  );
}

function isList(subnets: readonly Cidr[] | Problem): subnets is readonly Cidr[] {
  return Array.isArray(subnets);
}
