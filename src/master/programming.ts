import { podPort } from '../contracts/names.ts';
import type { Row, RowDelta } from '../ovsdb-client/index.ts';
import { isObserved, publish } from './diagnostics.ts';

const PORTS = 'Logical_Switch_Port';

/** The mirror of the northbound, as far as pods' ports are looked for. */
interface Mirror {
  rows(table: string): ReadonlyMap<string, Row>;
  onDelta(listener: (deltas: readonly RowDelta[]) => void): () => void;
}

interface PodOnNode {
  readonly namespace: string;
  readonly name: string;
  readonly instance: string;
}

interface Waiting {
  readonly instance: string;
  readonly since: number;
  /** Whether the northbound has shown the port. */
  isShown: boolean;
}

/**
 * Measures how long pods wait: from being seen on a node until the northbound shows their port, and until OVN says that
 * it is up. Remembers only those that wait; published as `programmed`.
 */
export class Programming {
  readonly #now: () => number;
  readonly #waiting = new Map<string, Waiting>();
  readonly #stop: () => void;
  /** Ports that were there before us, by name: their pods wait for nothing. Forgotten once all pods are known. */
  #before: Map<string, unknown> | undefined;

  /** `now` is in ms and never goes back. The mirror must be whole. */
  constructor(mirror: Mirror, now: () => number = () => performance.now()) {
    this.#now = now;
    this.#before = new Map();
    if (isObserved()) {
      for (const row of mirror.rows(PORTS).values())
        this.#before.set(String(row.columns.name), instanceOf(row));
    }
    this.#stop = mirror.onDelta(deltas => this.#follow(deltas));
  }

  /** All pods that were there at the start are known. */
  started(): void {
    this.#before = undefined;
  }

  /** The pod is on a node and is to have a port. */
  came({ namespace, name, instance }: PodOnNode): void {
    if (!isObserved()) return;
    const port = podPort(namespace, name);
    if (this.#before?.get(port) === instance) return;
    this.#waiting.set(port, { instance, since: this.#now(), isShown: false });
  }

  /** The pod has no port any more. */
  went({ namespace, name }: PodOnNode): void {
    this.#waiting.delete(podPort(namespace, name));
  }

  close(): void {
    this.#stop();
    this.#waiting.clear();
  }

  #follow(deltas: readonly RowDelta[]): void {
    if (this.#waiting.size === 0) return;
    for (const delta of deltas) {
      if (delta.table === PORTS && delta.kind !== 'delete') this.#look(delta);
    }
  }

  #look(delta: Exclude<RowDelta, { readonly kind: 'delete' }>): void {
    const { columns } = delta.row;
    const port = String(columns.name);
    const waiting = this.#waiting.get(port);
    if (!waiting || instanceOf(delta.row) !== waiting.instance) return;
    const seconds = (this.#now() - waiting.since) / 1000;
    if (!waiting.isShown) publish({ kind: 'programmed', stage: 'northbound', seconds });
    waiting.isShown = true;
    // A port that an earlier pod of the name had may be up still: only what becomes so counts.
    if (columns.up !== true || (delta.kind === 'modify' && delta.changed.up === undefined)) return;
    publish({ kind: 'programmed', stage: 'up', seconds });
    this.#waiting.delete(port);
  }
}

function instanceOf({ columns }: Row): unknown {
  return columns.options instanceof Map ? columns.options.get('iface-id-ver') : undefined;
}
