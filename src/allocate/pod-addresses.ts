import { cidrContains, compareIps, type Ip, ipKey } from '../addresses/index.ts';
import { POD_NETWORKS } from '../contracts/annotations.ts';
import { type Problem, sameProblem } from '../contracts/refusals.ts';
import { ExcludedRanges } from './excluded.ts';
import { type Conflict, resolveMoves } from './moves.ts';
import type { NodeSubnets } from './node-subnets.ts';
import { PodAllocator } from './pod-allocator.ts';
import { describeResource, PodLedger, type PodResource, resourcesOf } from './pod-ledger.ts';
import {
  confirmedHolding,
  leavesItToUs,
  type PodPlan,
  planOf,
  requestedHolding,
  runningHolding,
} from './pod-plan.ts';
import { hasOneInEach, isStillValid, requestError, sameIps } from './pod-request.ts';
import { compareSeniority } from './seniority.ts';
import type { Tenants } from './tenants.ts';
import type { AllocationConfig, PodClaim, PodHolding, PodResult } from './types.ts';

interface Pod {
  /** `namespace/name` */
  readonly name: string;
  claim: PodClaim | undefined;
  held: PodHolding | undefined;
  /** What it requests and cannot have, because others have some of it. */
  waitsFor: readonly PodResource[];
  result: PodResult | undefined;
}

/** Where to look for what a pod has that has nothing yet, and `recorded` is what the record says. */
type Source = (claim: PodClaim, recorded: PodHolding | undefined) => PodHolding | undefined;

const FROM_RECORD: Source = (_, recorded) => recorded;
/** Who runs with an address has it, then who names it, of several the one of whom it is recorded, then who is recorded. */
const FROM_OBJECTS_FIRST: readonly Source[] = [
  runningHolding,
  confirmedHolding,
  requestedHolding,
  FROM_RECORD,
];

/** Which pod has which addresses. The work follows the pods that changed, and those that wait for what they leave. */
export class PodAddresses implements Tenants {
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
  readonly #sources: readonly Source[];

  constructor(nodes: NodeSubnets, { excluded = [], objectsRemember = false }: AllocationConfig) {
    this.#nodes = nodes;
    this.#sources = objectsRemember ? FROM_OBJECTS_FIRST : [FROM_RECORD];
    this.#allocator = new PodAllocator(
      resource => this.#ledger.holderOf(resource) !== undefined,
      ip => this.#parkedIps.has(ipKey(ip)),
      new ExcludedRanges(excluded),
    );
  }

  restore(record: ReadonlyMap<string, PodHolding>): void {
    for (const [name, holding] of record) {
      const pod = this.#pods.get(name);
      if (pod?.held) continue;
      const parked = { ...holding, ips: [...holding.ips].sort(compareIps) };
      this.#parked.set(name, parked);
      for (const ip of holding.ips) this.#parkedIps.add(ipKey(ip));
      if (pod?.claim) this.#takeBack(confirmedHolding(pod.claim, parked), record);
    }
    this.reconsider();
  }

  /** Takes what is confirmed from those that only name it, too. */
  #takeBack(confirmed: PodHolding | undefined, record: ReadonlyMap<string, PodHolding>): void {
    for (const resource of resourcesOf(confirmed)) {
      const holder = this.#ledger.holderOf(resource);
      if (!holder?.claim || holder.claim.running?.length) continue;
      if (!resourcesOf(record.get(holder.name)).includes(resource)) this.#hold(holder, undefined);
    }
  }

  /** Looks again at all that have no address, or too few. */
  reconsider(): void {
    for (const pod of this.#pods.values()) if (!pod.held || this.#lacks(pod)) this.#dirty.add(pod);
  }

  /** Takes back what no object names. */
  forgetUnnamed(): void {
    for (const pod of this.#pods.values()) {
      if (!pod.held || !pod.claim || !leavesItToUs(pod.claim)) continue;
      this.#hold(pod, undefined);
      this.#dirty.add(pod);
    }
  }

  /** The names of the pods on a node. */
  *on(node: string): Iterable<string> {
    for (const { name } of this.#byNode.get(node) ?? []) yield name;
  }

  /** The names of the nodes that pods are on, whether there are such nodes or not. */
  nodes(): Iterable<string> {
    return this.#byNode.keys();
  }

  *runningOn(node: string): Iterable<Ip> {
    for (const { claim } of this.#byNode.get(node) ?? []) yield* claim?.running ?? [];
  }

  /** Returns which addresses the pod no longer runs with, and which from now on. */
  set(name: string, claim: PodClaim | undefined): readonly Pick<PodHolding, 'node' | 'ips'>[] {
    let pod = this.#pods.get(name);
    if (!pod) {
      if (!claim) {
        this.#unpark(name);
        return [];
      }
      pod = { name, claim: undefined, held: undefined, waitsFor: [], result: undefined };
      this.#pods.set(name, pod);
    }
    if (pod.claim) {
      removeFrom(this.#byNode, pod.claim.node, pod);
      removeFrom(this.#hungry, pod.claim.node, pod);
    }
    if (claim) addTo(this.#byNode, claim.node, pod);
    const [before, after] = [runningOf(pod.claim), runningOf(claim)];
    pod.claim = claim;
    this.#dirty.add(pod);
    const isSame = before && after && before.node === after.node && sameIps(before.ips, after.ips);
    return isSame ? [] : [before, after].filter(running => running !== undefined);
  }

  /**
   * What has changed since the last call, given the nodes whose subnets are not what they were. `allocate`: whether
   * those that lack addresses and name none are given some.
   */
  settle(changedNodes: Iterable<string>, allocate: boolean): ReadonlyMap<string, PodResult | undefined> {
    for (const node of changedNodes) for (const pod of this.#byNode.get(node) ?? []) this.#dirty.add(pod);
    if (this.#dirty.size === 0) return new Map();
    this.#allocator.startOver();
    const freedOn = new Set<string>();
    this.#refresh([...this.#dirty].sort(compareSeniority), freedOn);

    const plans = this.#planGroup();
    this.#dirty.clear();
    const pods = [...plans.keys()].sort(compareSeniority);
    const errors = this.#move(pods, plans, freedOn);
    if (allocate) this.#allocate(pods, errors, freedOn);
    return this.#takeResults(errors);
  }

  /** Takes away what the pods cannot have any more wherever they are now, and finds out what the new ones have. */
  #refresh(pods: readonly Pod[], freedOn: Set<string>): void {
    for (const pod of pods) {
      if (!pod.held) continue;
      const rest = pod.claim && this.#restOf(pod, pod.claim, pod.held);
      if (rest === pod.held) continue;
      freedOn.add(pod.held.node);
      this.#hold(pod, rest);
    }
    for (const pod of pods) this.#takeRunning(pod, freedOn);
    for (const source of this.#sources) for (const pod of pods) this.#adopt(pod, source);
    for (const pod of pods) this.#unpark(pod.name);
  }

  /** Gives a pod what it runs with, where those that have it do not run; nothing more than that. */
  #takeRunning(pod: Pod, freedOn: Set<string>): void {
    const running = pod.claim && runningHolding(pod.claim, pod.held ?? this.#parked.get(pod.name));
    if (!running || running.ips.length !== pod.claim?.running?.length || !this.#isUsable(running)) return;
    const holders = resourcesOf(running).flatMap(resource => this.#ledger.holderOf(resource) ?? []);
    const others = holders.filter(holder => holder !== pod);
    if (others.length === 0 || others.some(({ claim }) => claim?.running?.length)) return;
    for (const each of [pod, ...others]) {
      if (each.held) freedOn.add(each.held.node);
      this.#hold(each, undefined);
      this.#dirty.add(each);
    }
    this.#hold(pod, running);
  }

  #adopt(pod: Pod, source: Source): void {
    if (!pod.claim || pod.held) return;
    const found = source(pod.claim, this.#parked.get(pod.name));
    const isWhole = source !== requestedHolding || this.#isUsable(found);
    const rest = found && isWhole ? this.#restOf(pod, pod.claim, found) : undefined;
    if (!rest) return;
    this.#skip(rest);
    this.#hold(pod, rest);
  }

  #isUsable(holding: PodHolding | undefined): boolean {
    return !holding || requestError(this.#nodes.subnetsOf(holding.node) ?? [], holding) === undefined;
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
  #planGroup(): ReadonlyMap<Pod, PodPlan> {
    const plans = new Map<Pod, PodPlan>();
    const open = [...this.#dirty];
    for (let pod = open.pop(); pod; pod = open.pop()) {
      if (plans.has(pod)) continue;
      const { claim, held } = pod;
      plans.set(pod, claim ? planOf(claim, held, this.#nodes.subnetsOf(claim.node)) : { wants: undefined });
      for (const resource of resourcesOf(pod.held)) open.push(...(this.#waiting.get(resource) ?? []));
    }
    return plans;
  }

  /** Whether the pod leaves it to the allocator to find addresses, and has not got one of each family yet. */
  #lacks({ claim, held }: Pod): boolean {
    if (!claim || !leavesItToUs(claim)) return false;
    return !held || !hasOneInEach(this.#nodes.subnetsOf(claim.node) ?? [], held.ips);
  }

  /** Lets the pods have what they are to have; returns what is wrong with whom, undefined for nothing. */
  #move(
    pods: readonly Pod[],
    plans: ReadonlyMap<Pod, PodPlan>,
    freedOn: Set<string>,
  ): Map<Pod, Problem | undefined> {
    const movers = pods.map(who => ({
      who,
      has: resourcesOf(who.held),
      wants: resourcesOf(plans.get(who)?.wants),
    }));
    const stuck = resolveMoves(movers, this.#ledger);
    const errors = new Map<Pod, Problem | undefined>();
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
  #allocate(pods: readonly Pod[], errors: Map<Pod, Problem | undefined>, freedOn: ReadonlySet<string>): void {
    const hungry = [...freedOn].flatMap(node => [...(this.#hungry.get(node) ?? [])]);
    for (const pod of [...new Set([...pods, ...hungry])].sort(compareSeniority)) {
      if (!pod.claim || errors.get(pod) !== undefined || !this.#lacks(pod)) continue;
      errors.set(pod, this.#allocateOne(pod, pod.claim));
    }
  }

  #allocateOne(pod: Pod, { node }: PodClaim): Problem | undefined {
    removeFrom(this.#hungry, node, pod);
    const ips = this.#allocator.allocate(node, this.#nodes.subnetsOf(node) ?? [], pod.held?.ips);
    if (!isList(ips)) {
      addTo(this.#hungry, node, pod);
      return ips;
    }
    this.#hold(pod, { node, ips, mac: undefined });
    return undefined;
  }

  #takeResults(errors: ReadonlyMap<Pod, Problem | undefined>): ReadonlyMap<string, PodResult | undefined> {
    const changed = new Map<string, PodResult | undefined>();
    for (const [pod, error] of errors) {
      const result = pod.claim && resultOf(pod.held, error);
      if (!isSame(pod.result, result)) changed.set(pod.name, result);
      pod.result = result;
      if (!pod.claim) this.#pods.delete(pod.name);
    }
    return changed;
  }

  #unpark(name: string): void {
    const record = this.#parked.get(name);
    this.#parked.delete(name);
    for (const ip of record?.ips ?? []) this.#parkedIps.delete(ipKey(ip));
  }

  #skip({ node, ips }: PodHolding): void {
    for (const subnet of this.#nodes.subnetsOf(node) ?? []) {
      for (const ip of ips) if (cidrContains(subnet, ip)) this.#allocator.skip(subnet, ip);
    }
  }
}

function runningOf(claim: PodClaim | undefined): Pick<PodHolding, 'node' | 'ips'> | undefined {
  return claim?.running?.length ? { node: claim.node, ips: claim.running } : undefined;
}

function describeConflict({ resource, holder }: Conflict<PodResource, Pod>): Problem {
  const name = `Pod ${holder.name}`;
  const text = `${describeResource(resource)} is taken by ${name}; request another in ${POD_NETWORKS}, or delete ${name}`;
  return { kind: 'AddressConflict', text };
}

function resultOf(held: PodHolding | undefined, error: Problem | undefined): PodResult {
  const addresses = { ips: held?.ips ?? [], mac: held?.mac };
  return error === undefined ? addresses : { ...addresses, error };
}

function isSame(a: PodResult | undefined, b: PodResult | undefined): boolean {
  if (!a || !b) return a === b;
  return sameProblem(a.error, b.error) && a.mac === b.mac && sameIps(a.ips, b.ips);
}

function isList(ips: readonly Ip[] | Problem): ips is readonly Ip[] {
  return Array.isArray(ips);
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
