import { cidrContains, compareIps, ipKey } from '../addresses/index.ts';
import { POD_NETWORKS } from '../contracts/annotations.ts';
import { type Conflict, resolveMoves } from './moves.ts';
import type { NodeSubnets } from './node-subnets.ts';
import { PodAllocator } from './pod-allocator.ts';
import { describeResource, PodLedger, type PodResource, resourcesOf } from './pod-ledger.ts';
import { hasOneInEach, isStillValid, requestError, sameIps } from './pod-request.ts';
import { compareSeniority } from './seniority.ts';
import type { PodClaim, PodHolding, PodResult } from './types.ts';

interface Pod {
  /** `namespace/name` */
  readonly name: string;
  claim: PodClaim | undefined;
  held: PodHolding | undefined;
  /** What it requests and cannot have, because others have some of it. */
  waitsFor: readonly PodResource[];
  result: PodResult | undefined;
}

/** What a pod is to have. Without a request and without an error it is given what it then still lacks. */
interface Plan {
  readonly wants: PodHolding | undefined;
  readonly error?: string;
}

/** Which pod has which addresses. The work follows the pods that changed, and those that wait for what they leave. */
export class PodAddresses {
  readonly #nodes: NodeSubnets;
  readonly #pods = new Map<string, Pod>();
  readonly #ledger = new PodLedger<Pod>();
  readonly #dirty = new Set<Pod>();
  readonly #byNode = new Map<string, Set<Pod>>();
  readonly #waiting = new Map<PodResource, Set<Pod>>();
  /** By node: pods that found its subnets full. */
  readonly #hungry = new Map<string, Set<Pod>>();
  /** Recorded for pods that nobody has named yet: not given to others while there is anything else. */
  readonly #parked = new Map<string, PodHolding>();
  readonly #parkedIps = new Set<PodResource>();
  readonly #allocator: PodAllocator;

  constructor(nodes: NodeSubnets) {
    this.#nodes = nodes;
    this.#allocator = new PodAllocator(
      resource => this.#ledger.holderOf(resource) !== undefined,
      ip => this.#parkedIps.has(ipKey(ip)),
    );
  }

  restore(record: ReadonlyMap<string, PodHolding>): void {
    for (const [name, holding] of record) {
      this.#parked.set(name, { ...holding, ips: [...holding.ips].sort(compareIps) });
      for (const ip of holding.ips) this.#parkedIps.add(ipKey(ip));
    }
  }

  set(name: string, claim: PodClaim | undefined): void {
    let pod = this.#pods.get(name);
    if (!pod) {
      if (!claim) {
        this.#unpark(name);
        return;
      }
      pod = { name, claim: undefined, held: undefined, waitsFor: [], result: undefined };
      this.#pods.set(name, pod);
    }
    if (pod.claim) {
      removeFrom(this.#byNode, pod.claim.node, pod);
      removeFrom(this.#hungry, pod.claim.node, pod);
    }
    if (claim) addTo(this.#byNode, claim.node, pod);
    pod.claim = claim;
    this.#dirty.add(pod);
  }

  /** What has changed since the last call, given the nodes whose subnets are not what they were. */
  settle(changedNodes: Iterable<string>): ReadonlyMap<string, PodResult | undefined> {
    for (const node of changedNodes) for (const pod of this.#byNode.get(node) ?? []) this.#dirty.add(pod);
    if (this.#dirty.size === 0) return new Map();
    this.#allocator.startOver();
    const freedOn = new Set<string>();
    for (const pod of [...this.#dirty].sort(compareSeniority)) this.#refresh(pod, freedOn);

    const plans = this.#planGroup();
    this.#dirty.clear();
    const pods = [...plans.keys()].sort(compareSeniority);
    const errors = this.#move(pods, plans, freedOn);
    this.#allocate(pods, errors, freedOn);
    return this.#takeResults(errors);
  }

  /** Adopts what is recorded for the pod, and takes away what it cannot have any more wherever it is now. */
  #refresh(pod: Pod, freedOn: Set<string>): void {
    const record = this.#unpark(pod.name);
    const had = pod.held ?? record;
    const rest = pod.claim && had && this.#restOf(pod, pod.claim, had);
    if (rest === pod.held) return;
    if (pod.held) freedOn.add(pod.held.node);
    else if (rest) this.#skip(rest);
    this.#hold(pod, rest);
  }

  /** What the pod may keep. Where its node has lost a subnet, a running pod goes on in the other family. */
  #restOf(pod: Pod, claim: PodClaim, had: PodHolding): PodHolding | undefined {
    if (had.node !== claim.node) return undefined;
    const subnets = this.#nodes.subnetsOf(had.node) ?? [];
    const ips = had.ips.filter(ip => isStillValid(subnets, ip));
    const rest = ips.length === had.ips.length ? had : { node: had.node, ips, mac: undefined };
    const isFree = (resource: PodResource) => (this.#ledger.holderOf(resource) ?? pod) === pod;
    return ips.length > 0 && resourcesOf(rest).every(isFree) ? rest : undefined;
  }

  /** Makes this what the pod has; nobody else has any of it. Whoever waits for what it leaves is looked at again. */
  #hold(pod: Pod, holding: PodHolding | undefined): void {
    for (const resource of resourcesOf(pod.held)) {
      this.#ledger.delete(resource);
      for (const waiting of this.#waiting.get(resource) ?? []) this.#dirty.add(waiting);
    }
    for (const resource of resourcesOf(holding)) this.#ledger.add(resource, pod);
    pod.held = holding;
  }

  /** Plans for the changed pods, and for all that wait for something that one of these has and may leave. */
  #planGroup(): ReadonlyMap<Pod, Plan> {
    const plans = new Map<Pod, Plan>();
    const open = [...this.#dirty];
    for (let pod = open.pop(); pod; pod = open.pop()) {
      if (plans.has(pod)) continue;
      plans.set(pod, this.#planOf(pod));
      for (const resource of resourcesOf(pod.held)) open.push(...(this.#waiting.get(resource) ?? []));
    }
    return plans;
  }

  #planOf({ claim, held }: Pod): Plan {
    if (!claim) return { wants: undefined };
    const { node, requested } = claim;
    const subnets = this.#nodes.subnetsOf(node);
    if (!subnets) return { wants: undefined, error: `node ${node} does not exist` };
    if (subnets.length === 0) return { wants: undefined, error: `node ${node} has no subnet` };
    if (claim.problem !== undefined) return { wants: held, error: claim.problem };
    if (requested && requested.ips.length > 0) {
      const wants = { node, ips: [...requested.ips].sort(compareIps), mac: requested.mac };
      const error = requestError(subnets, wants);
      return error === undefined ? { wants } : { wants: held, error };
    }
    return { wants: held && { ...held, mac: undefined } };
  }

  /** Whether the pod leaves it to the allocator to find addresses, and has not got one of each family yet. */
  #lacks({ claim, held }: Pod): boolean {
    if (!claim || (claim.requested && claim.requested.ips.length > 0)) return false;
    return !held || !hasOneInEach(this.#nodes.subnetsOf(claim.node) ?? [], held.ips);
  }

  /** Lets the pods have what they are to have; returns what is wrong with whom, undefined for nothing. */
  #move(
    pods: readonly Pod[],
    plans: ReadonlyMap<Pod, Plan>,
    freedOn: Set<string>,
  ): Map<Pod, string | undefined> {
    const movers = pods.map(who => ({
      who,
      has: resourcesOf(who.held),
      wants: resourcesOf(plans.get(who)?.wants),
    }));
    const stuck = resolveMoves(movers, this.#ledger);
    const errors = new Map<Pod, string | undefined>();
    for (const { who, has, wants } of movers) {
      for (const resource of who.waitsFor) removeFrom(this.#waiting, resource, who);
      const conflict = stuck.get(who);
      who.waitsFor = conflict ? wants : [];
      for (const resource of who.waitsFor) addTo(this.#waiting, resource, who);
      const plan = plans.get(who);
      errors.set(who, conflict ? describeConflict(conflict) : plan?.error);
      if (conflict) continue;
      if (who.held && has.some(resource => !wants.includes(resource))) freedOn.add(who.held.node);
      who.held = plan?.wants;
    }
    return errors;
  }

  /** Finds addresses for those that lack some, and for those that found their node full where it is no longer. */
  #allocate(pods: readonly Pod[], errors: Map<Pod, string | undefined>, freedOn: ReadonlySet<string>): void {
    const hungry = [...freedOn].flatMap(node => [...(this.#hungry.get(node) ?? [])]);
    for (const pod of [...new Set([...pods, ...hungry])].sort(compareSeniority)) {
      if (!pod.claim || errors.get(pod) !== undefined || !this.#lacks(pod)) continue;
      errors.set(pod, this.#allocateOne(pod, pod.claim));
    }
  }

  #allocateOne(pod: Pod, { node }: PodClaim): string | undefined {
    removeFrom(this.#hungry, node, pod);
    const ips = this.#allocator.allocate(node, this.#nodes.subnetsOf(node) ?? [], pod.held?.ips);
    if (typeof ips === 'string') {
      addTo(this.#hungry, node, pod);
      return ips;
    }
    this.#hold(pod, { node, ips, mac: undefined });
    return undefined;
  }

  #takeResults(errors: ReadonlyMap<Pod, string | undefined>): ReadonlyMap<string, PodResult | undefined> {
    const changed = new Map<string, PodResult | undefined>();
    for (const [pod, error] of errors) {
      const result = pod.claim && resultOf(pod.held, error);
      if (!isSame(pod.result, result)) changed.set(pod.name, result);
      pod.result = result;
      if (!pod.claim) this.#pods.delete(pod.name);
    }
    return changed;
  }

  #unpark(name: string): PodHolding | undefined {
    const record = this.#parked.get(name);
    this.#parked.delete(name);
    for (const ip of record?.ips ?? []) this.#parkedIps.delete(ipKey(ip));
    return record;
  }

  #skip({ node, ips }: PodHolding): void {
    for (const subnet of this.#nodes.subnetsOf(node) ?? []) {
      for (const ip of ips) if (cidrContains(subnet, ip)) this.#allocator.skip(subnet, ip);
    }
  }
}

function describeConflict({ resource, holder }: Conflict<PodResource, Pod>): string {
  const name = holder.claim?.object ?? holder.name;
  return `${describeResource(resource)} is taken by ${name}; request another in ${POD_NETWORKS}, or delete ${name}`;
}

function resultOf(held: PodHolding | undefined, error: string | undefined): PodResult {
  const addresses = { ips: held?.ips ?? [], mac: held?.mac };
  return error === undefined ? addresses : { ...addresses, error };
}

function isSame(a: PodResult | undefined, b: PodResult | undefined): boolean {
  if (!a || !b) return a === b;
  return a.error === b.error && a.mac === b.mac && sameIps(a.ips, b.ips);
}

function addTo<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
  const values = index.get(key);
  if (values) values.add(value);
  else index.set(key, new Set([value]));
}

function removeFrom<K, V>(index: Map<K, Set<V>>, key: K, value: V): void {
  const values = index.get(key);
  values?.delete(value);
  if (values?.size === 0) index.delete(key);
}
