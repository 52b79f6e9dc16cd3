import type { ClusterEvent } from '../cluster/diagnostics.ts';
import type { MasterEvent } from '../master/diagnostics.ts';
import type { NodeEvent } from '../node/diagnostics.ts';
import type { DiagnosticEvent } from '../ovsdb-client/index.ts';
import { Channels } from './channels.ts';

/** What a process must have before it can do its work. */
export interface Requirements {
  /** Databases that must be connected, such as `OVN_Northbound`. */
  readonly databases: readonly string[];
  /** Kubernetes resources that must have been listed, such as `pods`. */
  readonly resources: readonly string[];
  /** Whether the manifests must have been read once. */
  readonly manifests: boolean;
  /** Whether the Lease must be known: held by this process, or by another one that renews it. */
  readonly lease: boolean;
  /** Whether pods must be attachable. */
  readonly cni: boolean;
}

/**
 * After so long without a word from one of the process's loops it counts as stuck, in ms. All loops speak far more
 * often, also where what they talk to is away: watches are ended and begun anew, and the Lease is looked at all the time.
 */
const SILENCE = 15 * 60_000;

/** Whether the process can work, and whether its loops turn, by what its rooms say on their diagnostics channels. */
export class Conditions {
  readonly #channels = new Channels();
  readonly #now: () => number;
  readonly #required: ReadonlySet<string>;
  /** Why each requirement is not met. */
  readonly #missing = new Map<string, string>();
  readonly #failed = new Map<string, string>();
  /** When each loop was last heard of. */
  readonly #heard = new Map<string, number>();

  /** Listens from now on. `now` is in ms and never goes back. */
  constructor(requirements: Requirements, now: () => number = () => performance.now()) {
    this.#now = now;
    const { databases, resources, manifests, lease, cni } = requirements;
    for (const database of databases) this.#missing.set(database, `${database} is not connected yet`);
    for (const resource of resources) this.#missing.set(resource, `${resource} are not listed yet`);
    if (manifests) this.#missing.set('manifests', 'the manifests are not read yet');
    if (lease) this.#missing.set('lease', 'the Lease is not known yet');
    if (cni) this.#missing.set('cni', 'pods cannot be attached yet');
    this.#required = new Set(this.#missing.keys());
    this.#channels.on('ovsdb', event => this.#onDatabase(event));
    this.#channels.on('cluster', event => this.#onCluster(event));
    this.#channels.on('master', event => this.#onMaster(event));
    this.#channels.on('node', event => this.#onNode(event));
  }

  /** Why the process cannot do its work now. */
  unready(): readonly string[] {
    return [...this.#failed.values(), ...this.#missing.values()];
  }

  /** Why the process should be restarted. */
  dead(): readonly string[] {
    const now = this.#now();
    const stuck = [...this.#heard].filter(([, at]) => now - at > SILENCE);
    return [
      ...this.#failed.values(),
      ...stuck.map(([loop, at]) => `nothing was heard of ${loop} for ${Math.round((now - at) / 1000)} s`),
    ];
  }

  close(): void {
    this.#channels.close();
  }

  #onDatabase(event: DiagnosticEvent): void {
    if (event.kind !== 'state') return;
    const { database, state, cause } = event;
    const why = cause?.message ?? state;
    if (state === 'failed') this.#failed.set(database, `${database}: ${why}`);
    this.#settle(database, state === 'ready' ? undefined : `${database} is not connected: ${why}`);
  }

  #onCluster(event: ClusterEvent): void {
    if (event.kind === 'request') {
      // Also one that fails: whoever goes on trying is not stuck.
      const loop = `the watch of ${event.resource}`;
      if (this.#heard.has(loop)) this.#heard.set(loop, this.#now());
    } else if (event.kind === 'listed' || event.kind === 'watch-event' || event.kind === 'watch-ended') {
      this.#heard.set(`the watch of ${event.resource}`, this.#now());
      if (event.kind === 'listed') this.#settle(event.resource, undefined);
    } else if (event.kind === 'lease') {
      this.#heard.set('the Lease', this.#now());
      this.#settle('lease', undefined);
    } else if (event.kind === 'lease-failed') {
      this.#heard.set('the Lease', this.#now());
      this.#settle('lease', `the Lease cannot be read or written: ${event.reason}`);
    }
  }

  #onMaster(event: MasterEvent): void {
    if (event.kind === 'status' && event.status.generation > 0) this.#settle('manifests', undefined);
  }

  #onNode(event: NodeEvent): void {
    if (event.kind !== 'readiness') return;
    const { problem } = event;
    this.#settle('cni', problem === undefined ? undefined : `pods cannot be attached: ${problem}`);
  }

  /** What is not among the requirements is of no concern. */
  #settle(name: string, problem: string | undefined): void {
    if (problem === undefined) this.#missing.delete(name);
    else if (this.#required.has(name)) this.#missing.set(name, problem);
  }
}
