import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { deniedRequests, unusedRights } from '../support/audit.ts';
import { controlPlane, describeWithControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { eventually, MasterProcess } from '../support/master-process.ts';
import { MasterSetup } from '../support/master-setup.ts';
import { freePorts } from '../support/ovsdb-server.ts';
import { deployedRights } from '../support/rights.ts';

const RBAC = join(__dirname, '../../deploy/rbac.yaml');
const rights = deployedRights().filter(({ user }) => user.endsWith(':kube-northbound-master'));

/** A pod that asks for an address by its annotation. */
const pod = (name: string, ip: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    namespace: 'default',
    annotations: {
      'k8s.ovn.org/pod-networks': JSON.stringify({ default: { ip_addresses: [`${ip}/24`] } }),
    },
  },
  spec: { nodeName: 'n1', containers: [{ name, image: 'none' }] },
});
const node = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: { podCIDRs: ['10.200.1.0/24'] },
});

describeWithControlPlane('a master with the rights that deploy/ grants', () => {
  let plane: TestControlPlane;
  let setup: MasterSetup;
  let master: MasterProcess;
  let health: string;

  beforeAll(async () => {
    plane = await controlPlane();
    await plane.kubectl(['apply', '-f', RBAC]);
    await plane.apply(node('n1'), pod('web', '10.200.1.10'));
    setup = await MasterSetup.create();
    // As ovn-northd does it.
    await setup.onlooker.transact({ op: 'insert', table: 'NB_Global', row: {} });
    const account = { namespace: 'kube-northbound', serviceAccount: 'kube-northbound-master' };
    const [port] = await freePorts(1);
    health = `127.0.0.1:${port}`;
    master = new MasterProcess({
      folder: setup.folder,
      args: [
        ...['--kubeconfig', await plane.kubeconfigFor(account), ...setup.access],
        ...['--metrics-bind-address', health],
      ],
    });
  }, 120_000);

  afterAll(async () => {
    await master.end();
    await setup.destroy();
    await plane.stop();
  });

  const ready = () =>
    eventually(
      `the master is ready; ${master.log}`,
      async () => {
        const response = await fetch(`http://${health}/readyz`).catch(() => undefined);
        return response?.status === 200 || undefined;
      },
      30_000,
    );

  it('is ready once it leads, and counts what it does', async () => {
    master.start();
    await ready();
    await master
      .synced(({ rows }) => rows.Logical_Switch_Port !== undefined, 30_000)
      .catch(cause => {
        throw new Error(master.log, { cause });
      });
    const metrics = await (await fetch(`http://${health}/metrics`)).text();
    expect(metrics).toContain('\nkube_northbound_leader 1\n');
    expect(metrics).toContain('kube_northbound_watch_listed_objects{resource="pods"} 1\n');
    expect(metrics).toMatch(/\nkube_northbound_lease_transitions [1-9]/);
  });

  it('says in an Event what it refuses, once for all masters', async () => {
    await plane.apply(pod('other', '10.200.1.10'));
    const reasons = async () => {
      const { items } = JSON.parse(
        await plane.kubectl(['get', 'events.events.k8s.io', '-A', '-o', 'json']),
      ) as { items: { regarding: { name: string }; reason: string }[] };
      return items.filter(({ regarding }) => regarding.name === 'other').map(({ reason }) => reason);
    };
    await eventually('an Event', async () => ((await reasons()).length > 0 ? true : undefined), 30_000);
    expect(await master.end()).toBe(0);
    master.start();
    await eventually(
      'the Event is looked for again',
      () => {
        const looked = plane
          .audit()
          .filter(({ verb, objectRef }) => verb === 'patch' && objectRef?.resource === 'events');
        return looked.length > 0 ? true : undefined;
      },
      30_000,
    );
    expect(await reasons()).toEqual(['AddressConflict']);
  });

  it('is refused nothing, and uses every right', () => {
    expect(deniedRequests(rights, plane.audit())).toEqual([]);
    expect(unusedRights(rights, plane.audit())).toEqual([]);
  });
});
