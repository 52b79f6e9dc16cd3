import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually, kubeNorthbound, MasterProcess } from '../support/master-process.ts';
import { MasterSetup, pod, shop } from '../support/master-setup.ts';
import { freePorts } from '../support/ovsdb-server.ts';

let setup: MasterSetup;
let master: MasterProcess;
let address: string;

beforeEach(async () => {
  setup = await MasterSetup.create();
  const [port] = await freePorts(1);
  address = `127.0.0.1:${port}`;
  const args = ['--manifests', setup.manifests.path, ...setup.access, '--metrics-bind-address', address];
  master = new MasterProcess({ folder: setup.folder, args });
});

afterEach(async () => {
  await master.end();
  await setup.destroy();
});

async function get(path: string): Promise<string> {
  const response = await fetch(`http://${address}${path}`);
  return `${response.status} ${await response.text()}`;
}

/** The value of a sample, by its name and labels. */
async function sample(name: string): Promise<number | undefined> {
  const line = (await get('/metrics')).split('\n').find(it => it.startsWith(`kube_northbound_${name} `));
  return line === undefined ? undefined : Number(line.split(' ')[1]);
}

describe('the health of a master', () => {
  it('is good once the northbound follows the manifests, and not while that is away', async () => {
    master.start();
    await master.synced();
    expect(await get('/readyz')).toBe('200 ok\n');
    expect(await get('/healthz')).toBe('200 ok\n');
    await setup.northbound.stop();
    await eventually('not ready', async () =>
      (await get('/readyz')).startsWith('503 OVN_Northbound is not connected: ') ? true : undefined,
    );
    expect(await get('/healthz')).toBe('200 ok\n');
    setup.northbound.start();
    await eventually('ready again', async () => ((await get('/readyz')) === '200 ok\n' ? true : undefined));
    expect(await sample('ovsdb_reconnects_total{database="OVN_Northbound"}')).toBe(1);
    expect(await master.end()).toBe(0);
  });

  it('comes with figures of its work', async () => {
    master.start();
    await master.synced();
    const shown = 'pod_programming_duration_seconds_count{stage="northbound"}';
    expect(await sample(shown)).toBe(2);
    const { rows } = await master.after(() =>
      setup.manifests.write('more.json', [pod('more', 'a', '10.200.1.11')]),
    );
    expect(await sample(shown)).toBe(3);
    expect(rows.Logical_Switch).toBeGreaterThan(1);
    expect(await sample('rows{table="Logical_Switch"}')).toBe(rows.Logical_Switch);
    expect(await sample('reconcile_objects_sum')).toBe(shop.length + 1);
    expect(await sample('generations_total')).toBe(2);
    expect(await sample('in_sync')).toBe(1);
    const committed =
      'ovsdb_transaction_duration_seconds_count{database="OVN_Northbound",outcome="committed"}';
    expect(await sample(committed)).toBeGreaterThan(1);
  });

  it('needs an address that is free', async () => {
    master.start();
    await master.synced();
    const args = ['master', '--manifests', setup.manifests.path, ...setup.access];
    const { code, stderr } = await kubeNorthbound([...args, '--metrics-bind-address', address]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `kube-northbound: cannot listen at ${address}: another program listens there; choose another --metrics-bind-address, or 0 for none\n`,
    );
    const wrong = await kubeNorthbound([...args, '--metrics-bind-address', '9409']);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('--metrics-bind-address: "9409" is no address to listen at');
  });
});
