import { existsSync } from 'node:fs';
import process from 'node:process';
import { findPrograms } from '../../../src/sandbox/kubernetes/programs.ts';
import { controlPlane, type TestControlPlane } from '../../support/control-plane.ts';
import type { Databases } from '../databases.ts';
import { rounded } from '../statistics.ts';
import {
  type Burst,
  burstOf,
  type CreateReport,
  type PodsReport,
  type PortsReport,
  type ProcessorTimes,
  type Programmed,
  programmedOf,
} from './burst.ts';
import type { KeptReport } from './keep-pods.ts';
import type { Memory } from './memory.ts';
import { nodeName } from './objects.ts';
import type { ProductProcess } from './product-process.ts';
import { Site } from './site.ts';

/** How many requests are under way at the same time. */
const CONNECTIONS = 32;

/** With nothing of the product running, with the master, and again without: what drifts shows. */
export interface ClusterResult {
  readonly pods: number;
  readonly nodes: number;
  readonly connections: number;
  readonly without: readonly Burst[];
  readonly with: Burst & Programmed;
  /** The time of a create with the master by that without (means of medians). */
  readonly create_ratio: number;
  readonly memory: {
    readonly master: { readonly before: Memory; readonly after: Memory; readonly bytes_per_pod: number };
    /** What `src/cluster` keeps of a pod, bytes of heap. */
    readonly cluster_bytes_per_pod: number;
    /** Of a node's agent that knows its Node's pods and serves none of them. */
    readonly agent: Memory & { readonly pods: number };
  };
}

export interface Skipped {
  readonly skipped: string;
}

export interface ClusterOptions {
  readonly pods: number;
  readonly nodes: number;
  readonly tell: (what: string) => void;
  /** Takes what has to be done at the end, in whatever way that comes. */
  readonly atEnd: (end: () => unknown) => void;
}

/** Pods come to a real API server, and the master as it is built puts them into a real northbound. */
export async function measureCluster(
  databases: Databases,
  options: ClusterOptions,
): Promise<ClusterResult | Skipped> {
  if (!existsSync('dist/cli/main.js'))
    return { skipped: 'the program is not built: run "npm run build" first' };
  const { pods, nodes, atEnd } = options;
  const starting = controlPlane({ isProbe: true });
  atEnd(async () => (await starting.catch(() => undefined))?.stop());
  let plane: TestControlPlane;
  try {
    plane = await starting;
  } catch (error) {
    if (hasPrograms()) throw error;
    return { skipped: error instanceof Error ? error.message : String(error) };
  }
  const site = new Site(databases, plane);
  atEnd(() => site.close());
  await site.prepare(nodes);
  return new Measurement(site, options).run(pods);
}

class Measurement {
  readonly #site: Site;
  readonly #options: ClusterOptions;

  constructor(site: Site, options: ClusterOptions) {
    this.#site = site;
    this.#options = options;
  }

  async run(pods: number): Promise<ClusterResult> {
    const few = Math.ceil(pods / 25);
    await this.#without('warm-up', few);
    const first = await this.#without('first', pods);
    const withMaster = await this.#withMaster(few, pods);
    const last = await this.#without('last', pods);
    const medians = [first, last].map(({ create_ms }) => create_ms.p50);
    const { burst, ...rest } = withMaster;
    return {
      pods,
      nodes: this.#options.nodes,
      connections: CONNECTIONS,
      without: [first, last],
      with: burst,
      create_ratio: rounded(burst.create_ms.p50 / ((medians[0] ?? 0) / 2 + (medians[1] ?? 0) / 2), 2),
      ...rest,
    };
  }

  async #without(name: string, count: number): Promise<Burst> {
    this.#options.tell(`${count} pods without a master (${name})`);
    const burst = burstOf(...(await this.#create(name, { count, addresses: 0 })));
    await this.#site.deletePods();
    return burst;
  }

  async #withMaster(few: number, count: number) {
    const site = this.#site;
    this.#options.tell(`${count} pods with a master`);
    const master = await site.master();
    await master.during(this.#program('few', few, master));
    const before = await master.memory();
    const burst = await master.during(this.#program('many', count, master));
    const after = await master.memory();
    await master.end();
    this.#options.tell('memory');
    const kept = await this.#kept();
    const agent = await this.#agent();
    await site.deletePods();
    const bytes_per_pod = Math.round((after.heap - before.heap) / count);
    const cluster_bytes_per_pod = Math.round(kept.bytes / kept.pods);
    return {
      burst,
      memory: { master: { before, after, bytes_per_pod }, cluster_bytes_per_pod, agent },
    };
  }

  /** Pods come, and get ports and addresses. */
  async #program(name: string, count: number, master: ProductProcess): Promise<Burst & Programmed> {
    const { northbound } = this.#site;
    const ports = this.#site.help<PortsReport>('watch-ports', [northbound.endpoint.path, count]);
    await ports.ready;
    const [created, seen, used] = await this.#create(name, { count, addresses: count, master });
    const shown = await ports.report;
    return { ...burstOf(created, seen, used), ...programmedOf(created, seen, shown) };
  }

  /** `addresses`: of so many pods the addresses are waited for. */
  async #create(
    name: string,
    { count, addresses, master }: { count: number; addresses: number; master?: ProductProcess },
  ): Promise<[CreateReport, PodsReport, ProcessorTimes]> {
    const { kubeconfig } = this.#site.plane;
    const watch = this.#site.help<PodsReport>('watch-pods', [kubeconfig, count, addresses]);
    await watch.ready;
    const args = [kubeconfig, name, count, this.#options.nodes, CONNECTIONS];
    const create = this.#site.help<CreateReport>('create-pods', args);
    await create.ready;
    const before = this.#site.processorTimes(master);
    const reports = [await create.report, await watch.report] as const;
    return [...reports, timesSince(before, this.#site.processorTimes(master))];
  }

  async #kept(): Promise<KeptReport> {
    const kubeconfig = await this.#site.account('master');
    return this.#site.help<KeptReport>('keep-pods', [kubeconfig], ['--expose-gc']).report;
  }

  async #agent() {
    const agent = await this.#site.agent(nodeName(0));
    const memory = await agent.memory();
    const pods = Number(/"resource":"Pods[^\n]*"objects":(\d+)/.exec(agent.log)?.[1]);
    await agent.end();
    return { ...memory, pods };
  }
}

function timesSince(before: ProcessorTimes, now: ProcessorTimes): ProcessorTimes {
  return {
    api_server: now.api_server - before.api_server,
    etcd: now.etcd - before.etcd,
    northbound: now.northbound - before.northbound,
    master: now.master - before.master,
  };
}

function hasPrograms(): boolean {
  if (process.env.KUBE_NORTHBOUND_NO_CONTROL_PLANE) return false;
  try {
    return findPrograms() !== undefined;
  } catch {
    return false;
  }
}
