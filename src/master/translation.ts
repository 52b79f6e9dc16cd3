import { ClusterAllocations } from '../allocate/index.ts';
import type { PodFact } from '../cluster/facts/index.ts';
import type { KubeObject, ObjectKey } from '../cluster/manifests.ts';
import type { Config } from '../config/index.ts';
import { Engine, FactStore, formatUnit } from '../engine/index.ts';
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

/** An object that was refused, in whole or in part. */
export interface Refused {
  /** `Kind namespace/name`. */
  readonly object: string;
  readonly reason: string;
}

/** Objects that came or changed, and objects that went. */
export interface ObjectChange {
  readonly put: readonly KubeObject[];
  readonly deleted: readonly ObjectKey[];
}

/** Objects in, rows out: facts, allocations and engine, wired. Synchronous and without I/O. */
export class Translation {
  readonly #store = new FactStore<Facts>();
  readonly #engine: Engine<Facts, DesiredColumns, DesiredAtom>;
  readonly #allocations: ClusterAllocations;
  readonly #pending = new Set<string>();
  readonly #untranslated = new Untranslated();
  readonly #strict: boolean;

  /** `strict`: policies that nothing enforces are refused, rather than passed over with a warning. */
  constructor(config: Config, { strict = false }: { readonly strict?: boolean } = {}) {
    this.#strict = strict;
    this.#engine = new Engine(this.#store, units);
    this.#allocations = new ClusterAllocations({
      pools: config.clusterSubnets,
      reserved: config.joinSubnets,
    });
    this.#store.put('network', '', { joinSubnets: config.joinSubnets });
  }

  /** Takes over what the database remembers. Call it before the first {@link take}. */
  restore(record: AllocationRecord): void {
    this.#allocations.restore(record);
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
    this.#settle();
  }

  /** Translates what has changed of the facts. */
  run(): OutputDelta {
    return this.#engine.run();
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
    this.#store.put(kind.fact, key, fact);
    if (kind.fact === 'node') this.#allocations.setNode(key, nodeClaim(fact as Facts['node']));
    if (kind.fact === 'pod') this.#putPod(key, fact as PodFact);
  }

  #putPod(key: string, pod: PodFact): void {
    this.#allocations.setPod(key, podClaim(pod));
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
    this.#store.delete(kind.fact, key);
    if (kind.fact === 'node') this.#allocations.setNode(key, undefined);
    if (kind.fact === 'pod') {
      this.#allocations.setPod(key, undefined);
      this.#pending.delete(key);
    }
  }

  #settle(): void {
    const { nodes, pods } = this.#allocations.settle();
    for (const [name, result] of nodes) this.#putOrDelete('nodeSubnets', name, result);
    for (const [key, result] of pods) this.#putOrDelete('podAddresses', key, result);
  }

  #putOrDelete<K extends 'nodeSubnets' | 'podAddresses'>(
    kind: K,
    key: string,
    fact: Facts[K] | undefined,
  ): void {
    if (fact === undefined) this.#store.delete(kind, key);
    else this.#store.put(kind, key, fact);
  }
}
