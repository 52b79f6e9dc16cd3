import { rmSync } from 'node:fs';
import { ManifestFolder, MasterProcess } from './master-process.ts';
import { Onlooker } from './northbound-dump.ts';
import { databaseFolder, ovn, RealServer } from './ovsdb-server.ts';

/** A Node with given subnets: 10.200.N.0/24 and an IPv6 one. */
export const node = (name: string, number: number) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: { podCIDRs: [`10.200.${number}.0/24`, `fd02:0:0:${number}::/64`] },
});

/** A Pod of the namespace `shop` with a given address. */
export const pod = (name: string, nodeName: string, ip: string, uid = `uid-of-${name}`) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid },
  spec: { nodeName },
  status: { podIPs: [{ ip }] },
});

/** Two nodes with a pod each. */
export const shop = [
  node('a', 1),
  node('b', 2),
  pod('web', 'a', '10.200.1.10'),
  pod('db', 'b', '10.200.2.10'),
];

/** Real northbound and southbound databases, a folder with {@link shop}, a master that is not started, an onlooker. */
export class MasterSetup {
  readonly folder: string;
  readonly manifests = new ManifestFolder();
  readonly northbound: RealServer;
  readonly southbound: RealServer;
  readonly onlooker: Onlooker;
  readonly master: MasterProcess;
  /** `--nb … --sb …` */
  readonly access: readonly string[];

  private constructor(folder: string, northbound: RealServer, southbound: RealServer) {
    this.folder = folder;
    this.northbound = northbound;
    this.southbound = southbound;
    this.manifests.write('shop.json', shop);
    this.onlooker = new Onlooker(northbound.endpoint);
    const [nb, sb] = [northbound, southbound].map(server => `unix:${server.endpoint.path}`);
    this.access = ['--nb', nb ?? '', '--sb', sb ?? ''];
    this.master = new MasterProcess({ folder, args: ['--manifests', this.manifests.path, ...this.access] });
  }

  static async create(): Promise<MasterSetup> {
    const root = await ovn('trixie');
    const folder = databaseFolder();
    const servers = (['nb', 'sb'] as const).map(name => {
      const server = new RealServer({ root, folder, name });
      server.create(`ovn-${name}`);
      server.start();
      return server;
    });
    const [northbound, southbound] = servers;
    if (!northbound || !southbound) throw new Error('two servers were started');
    const setup = new MasterSetup(folder, northbound, southbound);
    await setup.onlooker.ready();
    return setup;
  }

  async destroy(): Promise<void> {
    await this.master.end('SIGKILL');
    await this.onlooker.close();
    this.northbound.stop();
    this.southbound.stop();
    this.manifests.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
