import { ClusterAllocations } from '../allocate/index.ts';
import { type NodeFact, type PodFact, versionOf, wantsPort } from '../cluster/facts/index.ts';
import type { KubeObject, ObjectKey } from '../cluster/manifests.ts';
import type { Config } from '../config/index.ts';
import type { Problem, RefusalKind } from '../contracts/refusals.ts';
import { Engine, FactStore, formatUnit, type UnitId } from '../engine/index.ts';
import type { OutputDelta } from '../engine/types.ts';
import type { DesiredAtom, DesiredColumns } from '../ovsdb-state/row.ts';
import {
  type AllocationRecord,
  type Facts,
  nodeClaim,
  objectOfUnit,
  podClaim,
  units,
} from '../translate/index.ts';
import { knownKind } from './kinds.ts';
import { NOT_ENFORCED, Untranslated } from './untranslated.ts';
import { type ObjectWrite, WriteWishes } from './write-wishes.ts';

/** An object that was refused, in whole or in part. */
export interface Refused {
  /** `Kind namespace/name`. */
  readonly object: string;
  readonly reason: string;
}

/** As {@link Refused}, of a Node or a Pod, with what programs must know. */
export interface ObjectProblem extends Refused {
  readonly why: RefusalKind;
  /** It came up since it was asked for last, maybe not for the first time. */
  readonly isNew?: true;
  readonly target: {
    readonly kind: 'Node' | 'Pod';
    readonly namespace: string | undefined;
    readonly name: string;
    readonly uid: string;
  };
}

/** Objects that came or changed, and objects that went. */
export interface ObjectChange {
  readonly put: readonly KubeObject[];
  readonly deleted: readonly ObjectKey[];
  /** Whether all objects are known with this change; true where it is not said. */
  readonly synced?: boolean;
}

export interface TranslationOptions {
  /** Policies that nothing enforces are refused, rather than passed over with a warning. */
  readonly strict?: boolean;
  /**
   * Whether objects remember what they were given, as with an API server that can be written to. Nothing is given away
   * then before {@link Translation.startAllocating}. Else the database's rows remember.
   */
  readonly objectsRemember?: boolean;
  readonly pods?: PodListener;
}

/** Told of each pod that comes to be on a node and is to have a port there, and of each that is no longer to have one. */
interface PodListener {
  came(pod: PodFact): void;
  went(pod: PodFact): void;
}

/** What is usual for a moment: a pod may come before its node. */
const WAITING: ReadonlySet<RefusalKind> = new Set(['NodeUnknown', 'NodeWithoutSubnet']);
const MOST_PASSING = 1_000;

/** Objects in, rows out: facts, allocations and engine, wired. Synchronous and without I/O. */
export class Translation {
  readonly #store = new FactStore<Facts>();
  readonly #engine: Engine<Facts, DesiredColumns, DesiredAtom>;
  readonly #allocations: ClusterAllocations;
  readonly #pending = new Set<string>();
  readonly #untranslated = new Untranslated();
  readonly #strict: boolean;
  readonly #pods: PodListener | undefined;
  readonly #writes: WriteWishes | undefined;
  /** Whether every object has been known once: until then an address that looks free may be somebody's. */
  #complete = false;
  #wantsToAllocate = false;
  /** What has been wrong for a while at least, by object and reason. */
  readonly #passing = new Map<string, ObjectProblem>();

  constructor(config: Config, { strict = false, objectsRemember = false, pods }: TranslationOptions = {}) {
    this.#strict = strict;
    this.#pods = pods;
    this.#engine = new Engine(this.#store, units);
    this.#allocations = new ClusterAllocations({
      pools: config.clusterSubnets,
      joinSubnets: config.joinSubnets,
      excluded: config.excludeSubnets,
      objectsRemember,
    });
    if (objectsRemember)
      this.#writes = new WriteWishes(
        this.#store,
        config.clusterSubnets.map(({ cidr }) => cidr),
      );
    this.#store.put('network', '', { joinSubnets: config.joinSubnets });
  }

  /** Takes over what the database remembers. Call it before anything is given away. */
  restore(record: AllocationRecord): void {
    this.#allocations.restore(record);
  }

  /**
   * Where objects remember: this master leads. What they lack is given to them from now on, once all objects have been
   * known. To be followed by {@link run}.
   */
  startAllocating(): void {
    this.#wantsToAllocate = true;
    // What was over before is the earlier leader's to tell.
    this.#passing.clear();
    if (!this.#complete) return;
    this.#allocations.startAllocating();
    this.#settle();
  }

  /** Where objects remember: another master leads. What no object names is forgotten. To be followed by {@link run}. */
  stopAllocating(): void {
    this.#wantsToAllocate = false;
    this.#allocations.stopAllocating();
    this.#settle();
  }

  /** Where objects remember: what is to be written to them, or not any more, since the last call. */
  takeWrites(): readonly ObjectWrite[] {
    return this.#writes?.take() ?? [];
  }

  /** Takes changed objects and says which rows that changes. */
  apply(change: ObjectChange): OutputDelta {
    this.take(change);
    return this.run();
  }

  /** Makes facts of changed objects, the allocations among them. */
  take(change: ObjectChange): void {
    for (const object of change.deleted) this.#delete(object);
    for (const object of change.put) this.#put(object);
    if (!this.#complete && change.synced !== false) {
      this.#complete = true;
      if (this.#wantsToAllocate) this.#allocations.startAllocating();
    }
    this.#settle();
  }

  /** Translates what has changed of the facts, by `limit` units at most; see {@link isSettled}. */
  run(limit?: number): OutputDelta {
    return this.#engine.run(limit);
  }

  /** Whether all that has changed of the facts is translated. */
  get isSettled(): boolean {
    return this.#engine.isSettled;
  }

  /** The rows as translation wants them. */
  get wish(): Engine<Facts, DesiredColumns, DesiredAtom> {
    return this.#engine;
  }

  /** Objects that translation or allocation refused. */
  refused(): readonly Refused[] {
    const refused = this.#engine.refusals().map(({ unit, reason }) => {
      const name = formatUnit(unit);
      return { object: objectOfUnit(name) ?? name, reason };
    });
    if (!this.#strict) return refused;
    return [...refused, ...this.#untranslated.policies().map(object => ({ object, reason: NOT_ENFORCED }))];
  }

  /** What is wrong with Nodes and Pods. */
  problems(): readonly ObjectProblem[] {
    return this.#engine.refusals().flatMap(({ unit, reason }) => this.#problem(unit, reason) ?? []);
  }

  /**
   * Where objects remember: what is wrong with Nodes and Pods, or was since the last call. An annotation that is edited
   * is put right at once, and whoever edited it should hear why.
   */
  takeProblems(): readonly ObjectProblem[] {
    const passed = [...this.#passing.values()].filter(({ target }) => this.#isThere(target));
    this.#passing.clear();
    return [...passed, ...this.problems()];
  }

  /** What is wrong with a row of a unit, where a Node or a Pod is behind it. `unit` is printed as in the row's marks. */
  problemOf(unit: string, reason: string): ObjectProblem | undefined {
    const slash = unit.indexOf('/');
    return this.#problem({ name: unit.slice(0, Math.max(slash, 0)), key: unit.slice(slash + 1) }, reason);
  }

  /** Policies that nothing enforces yet, as `Kind namespace/name`; none where such are refused. */
  unenforced(): readonly string[] {
    return this.#strict ? [] : this.#untranslated.policies();
  }

  /** The number of pods without a node. */
  pending(): number {
    return this.#pending.size;
  }

  /** How many objects there are of each kind that is not translated. */
  ignored(): Readonly<Record<string, number>> {
    return this.#untranslated.counts();
  }

  #put(object: KubeObject): void {
    const kind = knownKind(object);
    if (!kind) {
      this.#untranslated.put(object);
      return;
    }
    const key = kind.keyOf(object);
    const fact = kind.trim(object);
    if (kind.fact === 'pod') this.#tellPod(this.#store.get('pod', key), fact as PodFact);
    this.#store.put(kind.fact, key, fact);
    if (kind.fact === 'node') this.#allocations.setNode(key, nodeClaim(fact as NodeFact));
    if (kind.fact === 'pod') this.#putPod(key, fact as PodFact);
    if (kind.fact !== 'namespace') this.#writes?.note(kind.fact, key, versionOf(object.raw));
  }

  #putPod(key: string, pod: PodFact): void {
    this.#allocations.setPod(key, podClaim(pod, this.#writes !== undefined));
    if (pod.node === undefined && pod.problem === undefined && !pod.finished) this.#pending.add(key);
    else this.#pending.delete(key);
  }

  #delete(object: ObjectKey): void {
    const kind = knownKind(object);
    if (!kind) {
      this.#untranslated.delete(object);
      return;
    }
    const key = kind.keyOf(object);
    if (kind.fact === 'pod') this.#tellPod(this.#store.get('pod', key), undefined);
    this.#store.delete(kind.fact, key);
    if (kind.fact === 'node') this.#allocations.setNode(key, undefined);
    if (kind.fact === 'pod') {
      this.#allocations.setPod(key, undefined);
      this.#pending.delete(key);
    }
    if (kind.fact !== 'namespace') this.#writes?.note(kind.fact, key, undefined);
  }

  #tellPod(before: PodFact | undefined, after: PodFact | undefined): void {
    if (!this.#pods) return;
    const isSame = before?.instance === after?.instance && before?.node === after?.node;
    if (before && hasPort(before) && !(isSame && after && hasPort(after))) this.#pods.went(before);
    if (after && hasPort(after) && !(isSame && before && hasPort(before))) this.#pods.came(after);
  }

  #settle(): void {
    const { nodes, nodeIds, pods } = this.#allocations.settle();
    for (const [name, result] of nodes) this.#putOrDelete('nodeSubnets', name, result);
    for (const [name, result] of nodeIds) this.#putOrDelete('nodeId', name, result);
    for (const [key, result] of pods) this.#putOrDelete('podAddresses', key, result);
    if (!this.#writes) return;
    for (const [name, result] of nodes) {
      this.#noteError('node', name, result?.error);
      this.#writes.touch('node', name);
      for (const key of this.#allocations.podsOn(name)) this.#writes.touch('pod', key);
    }
    for (const [name, result] of nodeIds) {
      this.#noteError('node', name, result?.error);
      this.#writes.touch('node', name);
    }
    for (const [key, result] of pods) {
      this.#noteError('pod', key, result?.error);
      this.#writes.touch('pod', key);
    }
  }

  #problem({ name, key }: UnitId, reason: string): ObjectProblem | undefined {
    const target = this.#target(name, key);
    const why = this.#kindOf(name, key, reason);
    return target && { object: `${target.kind} ${key}`, reason, why, target };
  }

  #target(unit: string, key: string): ObjectProblem['target'] | undefined {
    if (unit === 'node') {
      const node = this.#store.get('node', key);
      return node && { kind: 'Node', namespace: undefined, name: node.name, uid: node.uid };
    }
    const pod = unit === 'pod' ? this.#store.get('pod', key) : undefined;
    return pod && { kind: 'Pod', namespace: pod.namespace, name: pod.name, uid: pod.uid };
  }

  /** The kind of what a unit says: that of the fact that it has it from. */
  #kindOf(unit: string, key: string, reason: string): RefusalKind {
    const errors =
      unit === 'node'
        ? [this.#store.get('nodeSubnets', key)?.error, this.#store.get('nodeId', key)?.error]
        : [this.#store.get('podAddresses', key)?.error];
    const known = errors.find(error => error?.text === reason);
    if (known) return known.kind;
    return unit === 'pod' && this.#store.get('pod', key)?.problem === reason ? 'Malformed' : 'NotProgrammed';
  }

  #isThere({ kind, namespace, name, uid }: ObjectProblem['target']): boolean {
    const object =
      kind === 'Node' ? this.#store.get('node', name) : this.#store.get('pod', `${namespace}/${name}`);
    return object?.uid === uid;
  }

  #noteError(unit: 'node' | 'pod', key: string, error: Problem | undefined): void {
    const problem = error && !WAITING.has(error.kind) && this.#problem({ name: unit, key }, error.text);
    if (problem && this.#passing.size < MOST_PASSING)
      this.#passing.set(`${problem.object}: ${problem.reason}`, { ...problem, isNew: true });
  }

  #putOrDelete<K extends 'nodeSubnets' | 'nodeId' | 'podAddresses'>(
    kind: K,
    key: string,
    fact: Facts[K] | undefined,
  ): void {
    if (fact === undefined) this.#store.delete(kind, key);
    else this.#store.put(kind, key, fact);
  }
}

function hasPort(pod: PodFact): boolean {
  return pod.node !== undefined && wantsPort(pod);
}
