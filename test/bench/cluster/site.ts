import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type KubernetesClient, openKubernetes } from '../../../src/cluster/api/index.ts';
import type { MasterStatus } from '../../../src/master/status-file.ts';
import type { TestControlPlane } from '../../support/control-plane.ts';
import { freePorts, type RealServer } from '../../support/ovsdb-server.ts';
import type { Databases } from '../databases.ts';
import { processorMs, readPid } from '../processor-time.ts';
import { RawClient } from '../raw-client.ts';
import type { ProcessorTimes } from './burst.ts';
import { Helper } from './helper.ts';
import { clusterObjects, podNamespaces } from './objects.ts';
import { ProductProcess } from './product-process.ts';

/** Where the installation's accounts are. */
const NAMESPACE = 'kube-northbound';

/** An API server with Nodes and the product's accounts, OVN's databases, and whatever runs on them. */
export class Site {
  readonly plane: TestControlPlane;
  readonly northbound: RealServer;
  readonly #databases: Databases;
  readonly #southbound: RealServer;
  readonly #folder: string;
  readonly #api: KubernetesClient;
  readonly #running = new Set<() => unknown>();

  constructor(databases: Databases, plane: TestControlPlane) {
    this.plane = plane;
    this.#databases = databases;
    this.northbound = databases.start();
    this.#southbound = databases.start('ovn-sb');
    this.#folder = join(databases.folder, 'cluster');
    mkdirSync(this.#folder);
    this.#api = openKubernetes({ kubeconfig: plane.kubeconfig });
  }

  /** Makes what has to be there before the product. */
  async prepare(nodes: number): Promise<void> {
    await insertGlobal(this.northbound.endpoint.path);
    await this.plane.kubectl(['apply', '-f', 'deploy/rbac.yaml']);
    await this.plane.apply(...clusterObjects(nodes));
  }

  /** A helping process, which ends with this one. */
  help<Report>(program: string, args: readonly (string | number)[], nodeOptions?: readonly string[]) {
    const helper = new Helper<Report>(program, args, nodeOptions);
    this.#running.add(() => helper.kill());
    return helper;
  }

  /** A kubeconfig of the product's account. */
  account(component: 'master' | 'node'): Promise<string> {
    return this.plane.kubeconfigFor({ namespace: NAMESPACE, serviceAccount: `kube-northbound-${component}` });
  }

  /** Starts the product's master; it has programmed what there is when this resolves. */
  async master(): Promise<ProductProcess> {
    const statusFile = join(this.#folder, 'status.json');
    const master = this.#product([
      ...['master', '--kubeconfig', await this.account('master'), '--status-file', statusFile],
      ...['--nb', `unix:${this.northbound.endpoint.path}`, '--sb', `unix:${this.#southbound.endpoint.path}`],
      ...['--metrics-bind-address', `127.0.0.1:${(await freePorts(1))[0]}`],
    ]);
    const status = () =>
      existsSync(statusFile) ? (JSON.parse(readFileSync(statusFile, 'utf8')) as MasterStatus) : undefined;
    await master.until('a synced status', () => status()?.synced === true);
    const [refused] = status()?.refused ?? [];
    if (refused) throw new Error(`${refused.object} was refused: ${refused.reason}`);
    return master;
  }

  /**
   * Starts the product's node agent; it knows its Node's pods when this resolves. There is no Open vSwitch, which it
   * waits for: so it leaves this machine's network alone.
   */
  async agent(node: string): Promise<ProductProcess> {
    const agent = this.#product([
      ...['node', '--node-name', node, '--kubeconfig', await this.account('node'), '--log-level', 'debug'],
      ...['--ovs', `unix:${join(this.#folder, 'nowhere.sock')}`],
      ...['--sb', `unix:${this.#southbound.endpoint.path}`],
      ...['--cni-socket', join(this.#folder, 'cni.sock')],
      ...['--metrics-bind-address', `127.0.0.1:${(await freePorts(1))[0]}`],
    ]);
    await agent.until("its Node's pods", () => /"resource":"Pods[^\n]*"listed"/.test(agent.log));
    return agent;
  }

  /** What all have used so far. */
  processorTimes(master?: ProductProcess): ProcessorTimes {
    const ofServer = (name: string) => processorMs(readPid(join(this.plane.folder, `${name}.pid`)));
    return {
      api_server: ofServer('kube-apiserver'),
      etcd: ofServer('etcd'),
      northbound: this.#databases.processorMs(this.northbound),
      master: master?.pid === undefined ? 0 : processorMs(master.pid),
    };
  }

  async deletePods(): Promise<void> {
    for (const namespace of podNamespaces()) {
      await this.#api.request({
        method: 'DELETE',
        path: `/api/v1/namespaces/${namespace}/pods`,
        query: { gracePeriodSeconds: '0' },
        timeout: 120_000,
      });
    }
  }

  /** Ends all that was started here, the control plane and the databases excepted. */
  close(): void {
    for (const end of this.#running) end();
    this.#api.close();
  }

  #product(args: readonly string[]): ProductProcess {
    const product = new ProductProcess(args);
    this.#running.add(() => product.end('SIGKILL'));
    return product;
  }
}

/** As ovn-northd does it. */
async function insertGlobal(socket: string): Promise<void> {
  const client = await RawClient.open(socket);
  const params = ['OVN_Northbound', { op: 'insert', table: 'NB_Global', row: {} }];
  await client.send([Buffer.from(JSON.stringify({ id: 0, method: 'transact', params }))], 0);
  client.close();
}
