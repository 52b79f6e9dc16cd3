import type { KubernetesApi } from '../cluster/api/types.ts';
import { Election, type LeaseTiming } from '../cluster/lease/index.ts';
import type { SourceChange } from '../cluster/source.ts';
import type { Config } from '../config/index.ts';
import type { Log } from '../contracts/log.ts';
import type { Session } from '../ovsdb-client/index.ts';
import type { Fence } from '../ovsdb-state/index.ts';
import { Keeper } from './keeper.ts';
import type { Keeping } from './keeping.ts';
import type { MasterStatus } from './status-file.ts';
import { surplusProblem } from './surplus.ts';
import { TermFence } from './term-fence.ts';
import { WriteBack } from './write-back.ts';

/** How a master takes part in a cluster. */
export interface ClusterOptions {
  readonly api: KubernetesApi;
  /** Who we are: of this process alone. */
  readonly identity: string;
  /** Where the Lease is. */
  readonly namespace: string;
  readonly timing: LeaseTiming;
  /** The share of our rows, from 0 to 1, that the first plan after the start may delete. */
  readonly firstPruneLimit: number;
}

export interface ContenderOptions {
  readonly cluster: ClusterOptions;
  readonly config: Config;
  readonly strict: boolean;
  /** Has synced once. */
  readonly session: Session;
  readonly log: Log;
}

/** How long, in ms, changes are gathered before what is left to delete is counted again. */
const COUNT_AFTER = 1_000;

/**
 * A master among others of its installation: it follows objects and northbound from the start, so that it can take over
 * at any time, and writes while it leads.
 */
export class Contender implements Keeping {
  readonly #options: ContenderOptions;
  readonly #election: Election;
  readonly #fence: TermFence;
  readonly #keeper: Keeper;
  readonly #writeBack: WriteBack;
  readonly #gateListeners = new Set<() => void>();
  readonly #listeners = new Set<() => void>();
  /** The term for which we have taken over. */
  #term: number | undefined;
  /** Why rows must not be deleted yet; undefined before that is known, and once they may be. */
  #surplusProblem: string | undefined;
  #mayPrune = false;
  #recount: NodeJS.Timeout | undefined;

  /** Does not take part in the election before the first translation of all objects is done. */
  constructor(options: ContenderOptions) {
    const { cluster, config, strict, session, log } = options;
    const { api, identity, namespace, timing } = cluster;
    const { installation } = config;
    this.#options = options;
    this.#election = new Election({
      ...{ api, identity, namespace, timing, log },
      name: `kube-northbound-${installation}`,
    });
    this.#fence = new TermFence({ leadership: this.#election, database: session, installation, log });
    this.#keeper = new Keeper({
      ...{ config, strict, session, log },
      fence: this.#gate(),
      objectsRemember: true,
      onSettled: () => this.#warm(),
    });
    this.#writeBack = new WriteBack({
      ...{ api, log, objects: this.#keeper.objects, instance: identity },
      mayWrite: () => this.leads,
      onDepth: () => this.#tell(),
    });
    this.#fence.onChange(() => this.#turn());
    this.#election.onChange(() => this.#tell());
    this.#keeper.onChange(() => this.#tell());
  }

  /** Whether we write at this very moment. */
  get leads(): boolean {
    return this.#term !== undefined && this.#fence.term === this.#term;
  }

  take(change: SourceChange): void {
    this.#keeper.take(change);
    this.#writeBack.take();
    if (this.#surplusProblem !== undefined) this.#recount ??= setTimeout(() => this.#count(), COUNT_AFTER);
  }

  /** Calls the listener whenever {@link status} may read differently. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  status(): MasterStatus {
    const status = this.#keeper.status();
    const held = this.#surplusProblem;
    const refused = held === undefined ? [] : [{ object: 'the first plan', reason: held }];
    return {
      ...status,
      synced: status.synced && this.#mayPrune,
      refused: [...refused, ...status.refused],
      lease: {
        identity: this.#election.identity,
        holder: this.#election.holder,
        term: this.leads ? (this.#term ?? null) : null,
      },
    };
  }

  isDone(): boolean {
    return this.status().synced && this.#writeBack.unwritten === 0;
  }

  /** Why we do not lead, or not everything is written; undefined where neither is known. */
  trouble(): string | undefined {
    if (this.leads) return this.#surplusProblem;
    const { trouble, holder, identity } = this.#election;
    if (trouble !== undefined) return trouble;
    return holder !== '' && holder !== identity ? `another master leads: ${holder}` : this.#fence.trouble;
  }

  /** Hands over: the Lease is given back at once. */
  async close(): Promise<void> {
    this.#writeBack.stop();
    await this.#election.release();
    clearTimeout(this.#recount);
    this.#fence.close();
    await this.#keeper.close();
  }

  /** The right to write, once we have taken over what earlier leaders left. */
  #gate(): Fence {
    const leads = () => this.leads;
    const operations = () => this.#fence.operations;
    return {
      get held() {
        return leads();
      },
      get operations() {
        return operations();
      },
      onChange: listener => {
        this.#gateListeners.add(listener);
        return () => this.#gateListeners.delete(listener);
      },
    };
  }

  /** All is translated: from now on we can take over within moments. */
  #warm(): void {
    this.#count();
    this.#election.start();
  }

  #turn(): void {
    const { term } = this.#fence;
    if (term === this.#term) return;
    if (this.#term !== undefined) {
      this.#term = undefined;
      this.#writeBack.stop();
      this.#keeper.standBy();
    }
    if (term !== undefined) {
      this.#keeper.lead();
      this.#count();
      this.#term = term;
      this.#writeBack.start();
    }
    for (const listener of this.#gateListeners) listener();
    this.#tell();
  }

  /**
   * Law 3: the first plan must not delete most of what there is. While we stand by, the leader may be about to delete
   * it, or its newest rows may not be known to us: nothing is said then.
   */
  #count(): void {
    clearTimeout(this.#recount);
    this.#recount = undefined;
    if (this.#mayPrune) return;
    const { cluster, log } = this.#options;
    const isLeader = this.#fence.held;
    const problem = surplusProblem(this.#keeper.surplus(), cluster.firstPruneLimit);
    if (problem === undefined) {
      this.#mayPrune = true;
      this.#surplusProblem = undefined;
      this.#keeper.allowPrune();
    } else if (isLeader) {
      if (this.#surplusProblem === undefined) log.error({}, problem);
      this.#surplusProblem = problem;
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
