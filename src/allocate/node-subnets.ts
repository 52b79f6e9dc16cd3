import { type Cidr, cidrContains, cidrsOverlap, formatCidr, type Ip } from '../addresses/index.ts';
import { NODE_SUBNETS } from '../contracts/annotations.ts';
import { type Problem, sameProblem } from '../contracts/refusals.ts';
import { type Conflict, resolveMoves } from './moves.ts';
import { Pools, tooSmall } from './pools.ts';
import { compareSeniority } from './seniority.ts';
import { SubnetTable } from './subnet-table.ts';
import { homesOf, type Tenants } from './tenants.ts';
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

/** Subnets that pods run in which their node, by its name, does not have: there is no such node, or it lost them. */
type Strays = SubnetTable<string>;

/** A subnet that a node asks for, and what is kept for the pods of another in it. */
interface Stray {
  readonly asked: Cidr;
  readonly home: Cidr;
  readonly node: string;
}

/** Which node has which subnets. A change may look at every node. */
export class NodeSubnets {
  readonly #pools: Pools;
  readonly #nodes = new Map<string, Node>();
  readonly #table = new SubnetTable<Node>();
  readonly #dirty = new Set<Node>();
  /** Those with an error. */
  readonly #refused = new Set<Node>();
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

  /**
   * Takes subnets from nodes on which no pod runs in them, where pods of other nodes do: they were not known yet when it
   * was given what it names. To be called when all are known.
   */
  yieldTo(tenants: Tenants): void {
    for (const [subnet, name] of this.#straysOf(tenants.nodes(), tenants)) {
      const holder = this.#table.overlapping(subnet)?.holder;
      if (holder && !this.#homes(holder, tenants).some(home => cidrsOverlap(home, subnet)))
        this.#release(holder);
      const node = this.#nodes.get(name);
      if (node) this.#dirty.add(node);
    }
  }

  /** Takes note that a pod runs, or no longer runs, with these addresses on a node. */
  noteTenant(name: string, ips: readonly Ip[]): void {
    const node = this.#nodes.get(name);
    const isAtHome = node && ips.every(ip => node.held.some(subnet => cidrContains(subnet, ip)));
    if (isAtHome && node.result?.error === undefined) return;
    if (node) this.#dirty.add(node);
    for (const refused of this.#refused) this.#dirty.add(refused);
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
  settle(allocate: boolean, tenants: Tenants): ReadonlyMap<string, NodeResult | undefined> {
    if (this.#dirty.size === 0) return new Map();
    for (const node of this.#refused) this.#dirty.add(node);
    const nodes = [...this.#dirty].sort(compareSeniority);
    this.#dirty.clear();
    this.#adoptHomes(nodes, tenants);
    const strays = this.#strays(allocate, nodes, tenants);
    this.#adopt(nodes, strays);

    const plans = new Map(nodes.map(node => [node, this.#planOf(node, tenants, strays)]));
    const movers = nodes.map(who => ({ who, has: who.held, wants: plans.get(who)?.wants ?? [] }));
    const stuck = resolveMoves(movers, this.#table);
    for (const { who, wants } of movers) if (!stuck.has(who)) who.held = wants;

    const changed = new Map<string, NodeResult | undefined>();
    for (const node of nodes) {
      const conflict = stuck.get(node);
      const error = conflict ? describeConflict(conflict) : plans.get(node)?.error;
      const lack = error ?? (allocate ? this.#allocate(node, strays) : undefined);
      const result = node.claim && resultOf(node.held, lack);
      if (!isSame(node.result, result)) changed.set(node.name, result);
      node.result = result;
      if (result?.error === undefined) this.#refused.delete(node);
      else this.#refused.add(node);
      if (!node.claim) this.#nodes.delete(node.name);
    }
    return changed;
  }

  #planOf(node: Node, tenants: Tenants, strays: Strays): Plan {
    const { claim, held } = node;
    if (!claim) return { wants: [] };
    if (claim.problem !== undefined) return { wants: held, error: claim.problem };
    const homes = this.#homes(node, tenants).filter(home => this.#isFree(home, node));
    if (claim.requested === undefined) return { wants: joined(homes, held) };
    const error = this.#requestError(claim.requested);
    if (error !== undefined) return { wants: held, error };
    const wants = joined(homes, claim.requested);
    const stray = strayIn(wants, node, strays);
    if (stray) return { wants: held, error: describeStray(stray) };
    const left = homes.find(home => !claim.requested?.some(subnet => this.#table.same(subnet, home)));
    return left ? { wants, error: describeLeft(claim.requested, left) } : { wants };
  }

  /** The subnets that the node's pods run in. */
  #homes({ name, claim, held }: Node, tenants: Tenants): readonly Cidr[] {
    const known = [...held, ...(claim?.requested ?? []), ...(this.#parked.get(name) ?? [])];
    const homes = homesOf(name, known, tenants, this.#pools);
    return homes.filter(home => this.#requestError([home]) === undefined);
  }

  /** Whether nobody else has any of it who is to stay. */
  #isFree(subnet: Cidr, node: Node): boolean {
    const holder = this.#table.overlapping(subnet)?.holder;
    return holder === undefined || holder === node || !holder.claim;
  }

  /** What is kept for pods until their node is back. Before all objects are known, nothing can be told of it. */
  #strays(allocate: boolean, changed: readonly Node[], tenants: Tenants): Strays {
    const strays: Strays = new SubnetTable();
    if (!allocate || !this.#objectsRemember) return strays;
    const names = [...tenants.nodes()].filter(name => !this.#nodes.get(name)?.claim);
    const here = changed.flatMap(({ name, claim }) => (claim ? [name] : []));
    for (const [subnet, name] of this.#straysOf([...names, ...here], tenants)) {
      if (!strays.overlapping(subnet)) strays.add(subnet, name);
    }
    return strays;
  }

  *#straysOf(names: Iterable<string>, tenants: Tenants): Iterable<readonly [Cidr, string]> {
    for (const name of names) {
      const { claim, held } = this.#nodes.get(name) ?? { claim: undefined, held: [] };
      const homes = this.#homes({ name, claim, held, result: undefined }, tenants);
      const has = claim ? held : [];
      for (const home of homes) if (!has.some(subnet => cidrsOverlap(subnet, home))) yield [home, name];
    }
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

  /**
   * Gives a node that has nothing new subnets, and one that names nothing what it lacks beside those that its pods run in;
   * returns why that is not possible.
   */
  #allocate(node: Node, strays: Strays): Problem | undefined {
    const { claim, held } = node;
    if (!claim || (held.length > 0 && (claim.requested || !this.#objectsRemember))) return undefined;
    const taken = (candidate: Cidr) =>
      (this.#table.overlapping(candidate) ?? strays.overlapping(candidate))?.subnet;
    let subnets = this.#pools.allocate(
      candidate => taken(candidate) ?? this.#parkedTable.overlapping(candidate)?.subnet,
      held,
    );
    if (!isList(subnets)) subnets = this.#pools.allocate(taken, held);
    if (!isList(subnets)) return subnets;
    for (const subnet of subnets) this.#table.add(subnet, node);
    node.held = subnets;
    return undefined;
  }

  /** Takes for what a node has that has nothing yet: what its pods run in. */
  #adoptHomes(nodes: readonly Node[], tenants: Tenants): void {
    for (const node of nodes) {
      if (!node.claim || node.held.length > 0) continue;
      const homes = this.#homes(node, tenants).filter(home => !this.#table.overlapping(home));
      if (homes.length === 0) continue;
      if (!node.claim.requested) this.#hold(node, joined(homes, this.#parked.get(node.name) ?? []));
      this.#hold(node, homes);
    }
  }

  /**
   * Takes for what a node has that has nothing yet: what its object remembers, then what is recorded, before anybody
   * requests it.
   */
  #adopt(nodes: readonly Node[], strays: Strays): void {
    const present = nodes.filter(({ claim }) => claim !== undefined);
    if (this.#objectsRemember) {
      const confirmed = present.filter(node => this.#isConfirmed(node));
      for (const node of [...confirmed, ...present]) {
        const requested = node.claim?.requested ?? [];
        if (!strayIn(requested, node, strays)) this.#hold(node, requested);
      }
    }
    for (const node of present) {
      const recorded = this.#unpark(node.name) ?? [];
      if (!strayIn(recorded, node, strays)) this.#hold(node, recorded);
    }
  }

  #hold(node: Node, subnets: readonly Cidr[]): void {
    if (subnets.length === 0 || node.held.length > 0 || this.#requestError(subnets) !== undefined) return;
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

/** These, and of the others those of families that are not among these; IPv4 first. */
function joined(subnets: readonly Cidr[], others: readonly Cidr[]): readonly Cidr[] {
  const missing = others.filter(({ family }) => !subnets.some(subnet => subnet.family === family));
  return [...subnets, ...missing].sort((a, b) => a.family - b.family);
}

/** What is kept for the pods of another node, and overlaps one of these. */
function strayIn(subnets: readonly Cidr[], { name }: Node, strays: Strays): Stray | undefined {
  for (const asked of subnets) {
    const found = strays.overlapping(asked);
    if (found && found.holder !== name) return { asked, home: found.subnet, node: found.holder };
  }
  return undefined;
}

function describeStray({ asked, home, node }: Stray): Problem {
  const text = `subnet ${formatCidr(asked)} overlaps ${formatCidr(home)}, in which pods of node ${node} run; request another in ${NODE_SUBNETS}, or delete those pods`;
  return { kind: 'SubnetConflict', text };
}

function describeLeft(requested: readonly Cidr[], home: Cidr): Problem {
  const asks = requested.map(formatCidr).join(' and ');
  const text = `the Node names ${asks}, but pods run in its subnet ${formatCidr(home)} and it keeps that; drain the node, then name another in ${NODE_SUBNETS}`;
  return { kind: 'SubnetUnusable', text };
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
