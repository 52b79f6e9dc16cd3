import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type KubernetesClient, openKubernetes } from '../../src/cluster/api/index.ts';
import { objectAt, type Raw } from '../../src/cluster/facts/raw.ts';
import { POD_NETWORKS, parsePodNetworks } from '../../src/contracts/annotations.ts';
import { podPort } from '../../src/contracts/names.ts';
import { northboundTables, STAMP_TABLES } from '../../src/northbound/index.ts';
import { type Operation, Session } from '../../src/ovsdb-client/index.ts';
import { controlPlane, type TestControlPlane } from './control-plane.ts';
import { eventually, MasterProcess } from './master-process.ts';
import { Onlooker } from './northbound-dump.ts';
import { databaseFolder, ovn, RealServer } from './ovsdb-server.ts';
import { startRaftNorthbound } from './raft-cluster.ts';

const RBAC = join(__dirname, '../../deploy/rbac.yaml');
const MASTER = { namespace: 'kube-northbound', serviceAccount: 'kube-northbound-master' };
const STAMP = 'kube-northbound/term/default';
/** The shortest times with which a busy machine still keeps its lease. */
const TIMES = ['--lease-duration', '3', '--lease-renew-deadline', '2', '--lease-retry-period', '0.4'];

/** A pod as the API server and the northbound have it. */
export interface PodState {
  readonly name: string;
  /** The addresses of its annotation; empty without one. */
  readonly annotated: readonly string[];
  /** The addresses of its port in the northbound; empty without one. */
  readonly programmed: readonly string[];
}

/** A real API server, real databases, and masters on them. Pods are bound by the test, and run nowhere. */
export class ClusterSetup {
  readonly folder: string;
  readonly plane: TestControlPlane;
  readonly api: KubernetesClient;
  /** The northbound's servers: one, or three of a RAFT cluster. */
  readonly northbound: readonly RealServer[];
  readonly southbound: RealServer;
  readonly onlooker: Onlooker;
  /** Another session with the northbound, which counts what changes. */
  readonly session: Session;
  /** Tables of which rows have changed, once for each change. */
  readonly changes: string[] = [];
  readonly #masters: MasterProcess[] = [];
  /** Of the masters, which may do what deploy/ grants. */
  #kubeconfig = '';

  private constructor(
    folder: string,
    plane: TestControlPlane,
    northbound: readonly RealServer[],
    southbound: RealServer,
  ) {
    this.folder = folder;
    this.plane = plane;
    this.api = openKubernetes({ kubeconfig: plane.kubeconfig });
    this.northbound = northbound;
    this.southbound = southbound;
    const remotes = northbound.map(({ endpoint }) => endpoint);
    this.onlooker = new Onlooker(...remotes);
    this.session = new Session({
      remotes,
      database: 'OVN_Northbound',
      tables: { ...northboundTables, ...STAMP_TABLES },
    });
    this.session.onDelta(deltas => this.changes.push(...deltas.map(({ table }) => table)));
    this.session.start();
  }

  static async create({ raft = false } = {}): Promise<ClusterSetup> {
    const root = await ovn('trixie');
    const folder = databaseFolder();
    const standalone = (name: 'nb' | 'sb') => {
      const server = new RealServer({ root, folder, name });
      server.create(`ovn-${name}`);
      server.start();
      return server;
    };
    const southbound = standalone('sb');
    const northbound = raft ? await startRaftNorthbound(folder, 'nb') : [standalone('nb')];
    const setup = new ClusterSetup(folder, await controlPlane(), northbound, southbound);
    await setup.onlooker.ready();
    await setup.session.ready(10_000);
    // As ovn-northd does it.
    await setup.onlooker.transact({ op: 'insert', table: 'NB_Global', row: {} });
    await setup.post('/api/v1/namespaces', { kind: 'Namespace', metadata: { name: 'shop' } });
    await setup.plane.kubectl(['apply', '-f', RBAC]);
    setup.#kubeconfig = await setup.plane.kubeconfigFor(MASTER);
    return setup;
  }

  /** A master that is not started. */
  master(name: string, ...args: readonly string[]): MasterProcess {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    const [nb, sb] = [this.northbound, [this.southbound]].map(servers =>
      servers.map(({ endpoint }) => `unix:${endpoint.path}`).join(),
    );
    const master = new MasterProcess({
      folder,
      args: [
        ...['--kubeconfig', this.#kubeconfig, '--nb', nb ?? '', '--sb', sb ?? ''],
        ...['--metrics-bind-address', '0', ...TIMES, ...args],
      ],
    });
    this.#masters.push(master);
    return master;
  }

  post(path: string, body: Raw): Promise<Raw> {
    return this.api.request({ method: 'POST', path, body: { apiVersion: 'v1', ...body } });
  }

  async addNodes(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.post('/api/v1/nodes', { kind: 'Node', metadata: { name } });
  }

  /** A pod that is bound to a node. */
  async addPod(name: string, node: string): Promise<void> {
    await this.post('/api/v1/namespaces/shop/pods', {
      kind: 'Pod',
      metadata: { name },
      spec: { nodeName: node, containers: [{ name: 'c', image: 'none' }] },
    });
  }

  async removePod(name: string): Promise<void> {
    await this.remove(`/api/v1/namespaces/shop/pods/${name}`);
  }

  async remove(path: string): Promise<void> {
    await this.api.request({ method: 'DELETE', path, query: { gracePeriodSeconds: '0' } });
  }

  /** Takes all annotations of Nodes and Pods away. */
  async forgetAnnotations(): Promise<void> {
    for (const resource of ['/api/v1/nodes', '/api/v1/namespaces/shop/pods']) {
      const list = await this.api.request({ method: 'GET', path: resource });
      for (const item of list.items as readonly Raw[]) {
        await this.api.request({
          method: 'PATCH',
          path: `${resource}/${objectAt(item, 'metadata').name}`,
          contentType: 'application/merge-patch+json',
          body: { metadata: { annotations: null } },
        });
      }
    }
  }

  /** All pods, with what the API server and the northbound say of each; ports without a pod are pods without a name. */
  async pods(): Promise<readonly PodState[]> {
    const list = await this.api.request({ method: 'GET', path: '/api/v1/namespaces/shop/pods' });
    const ports = new Map(
      Object.entries(this.onlooker.rows().Logical_Switch_Port ?? {})
        .filter(([, row]) => objectAt(row, 'external_ids').pod === 'true')
        .map(([key, row]) => [key, String(row.addresses).split(' ').slice(1)]),
    );
    const states = (list.items as readonly Raw[]).map(item => {
      const { name, annotations } = objectAt(item, 'metadata') as { name: string; annotations?: Raw };
      const port = podPort('shop', name);
      const programmed = ports.get(port) ?? [];
      ports.delete(port);
      return { name, annotated: addressesOf(annotations?.[POD_NETWORKS]), programmed };
    });
    return [
      ...states,
      ...Array.from(ports.values(), programmed => ({ name: '', annotated: [], programmed })),
    ];
  }

  /** Waits until every pod has a port, every port a pod, and both sides say the same; gives all addresses. */
  async settled(timeout = 30_000): Promise<ReadonlyMap<string, string>> {
    let last: readonly PodState[] = [];
    const isRight = ({ name, annotated, programmed }: PodState) =>
      name !== '' && programmed.length > 0 && annotated.join() === programmed.join();
    const all = () =>
      `pods as they should be: ${JSON.stringify(last.filter(pod => !isRight(pod)).slice(0, 5))}; ${this.#logs()}`;
    try {
      await eventually(
        'pods',
        async () => {
          last = await this.pods();
          return last.every(isRight) || undefined;
        },
        timeout,
      );
    } catch (cause) {
      throw new Error(all(), { cause });
    }
    return new Map(last.map(({ name, programmed }) => [name, programmed.join()]));
  }

  /** The stamp in the northbound: `TERM/IDENTITY`. */
  stamp(): string {
    for (const { columns } of this.session.rows('NB_Global').values()) {
      const map = columns.external_ids;
      if (map instanceof Map) return String(map.get(STAMP) ?? '');
    }
    return '';
  }

  /** Waits for a master that leads, and gives its name. */
  leader(masters: ReadonlyMap<string, MasterProcess>): Promise<string> {
    return eventually(
      `a leader; ${this.#logs()}`,
      () => [...masters].find(([, master]) => typeof master.status()?.lease?.term === 'number')?.[0],
      20_000,
    );
  }

  async lease(): Promise<Raw> {
    const path = '/apis/coordination.k8s.io/v1/namespaces/kube-northbound/leases/kube-northbound-default';
    return objectAt(await this.api.request({ method: 'GET', path }), 'spec');
  }

  /** Somebody writes into the northbound by hand. */
  byHand(...operations: readonly Operation[]): Promise<unknown> {
    return this.onlooker.transact(...operations);
  }

  async destroy(): Promise<void> {
    await Promise.all(this.#masters.map(master => master.end('SIGKILL')));
    this.api.close();
    await this.session.close();
    await this.onlooker.close();
    await this.plane.stop();
    for (const server of this.northbound) server.stop();
    this.southbound.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #logs(): string {
    return this.#masters.map(({ log }) => log.slice(-1500)).join('\n---\n');
  }
}

function addressesOf(annotation: unknown): readonly string[] {
  if (typeof annotation !== 'string') return [];
  return parsePodNetworks(annotation)?.addresses.map(address => address.split('/')[0] ?? '') ?? [];
}
