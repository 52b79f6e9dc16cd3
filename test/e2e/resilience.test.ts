import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MasterStatus } from '../../src/master/status-file.ts';
import { eventually, runToEnd } from '../support/master-process.ts';
import { Sandbox } from '../support/sandbox.ts';

/** Two pods that no test touches, on different nodes. */
const FROM = 'shop-frontend/web-1';
const TO = 'shop-backend/orders-58fd7';

const sandbox = new Sandbox('r');

beforeAll(async () => {
  const { code, stderr } = await sandbox.up();
  if (code !== 0) throw new Error(stderr);
}, 180_000);

afterAll(() => sandbox.down(), 60_000);

const file = (name: string) => join(sandbox.manifests, name);

function writePods(
  name: string,
  pods: readonly { readonly name: string; readonly node: string; readonly uid?: string }[],
) {
  const items = pods.map(({ name, node, uid }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'churn', ...(uid === undefined ? {} : { uid }) },
    spec: { nodeName: node, containers: [{ name: 'c', ports: [{ containerPort: 80 }] }] },
  }));
  writeFileSync(file(name), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

const masterStatus = (): MasterStatus =>
  JSON.parse(readFileSync(`/run/kube-northbound/${sandbox.name}/master-status.json`, 'utf8'));

/** Changes something and waits until the northbound shows it. */
async function applied(change: () => void): Promise<void> {
  const { generation } = masterStatus();
  change();
  await eventually('the northbound shows the change', () => {
    const status = masterStatus();
    return status.generation > generation && status.synced ? true : undefined;
  });
}

async function table(
  database: 'nbctl' | 'sbctl',
  name: string,
  ...columns: readonly string[]
): Promise<unknown[][]> {
  const json = await sandbox.output(
    database,
    '--format=json',
    '--data=json',
    `--columns=${columns}`,
    'list',
    name,
  );
  return (JSON.parse(json) as { data: unknown[][] }).data;
}

/** The southbound has exactly a Port_Binding for each northbound port, with its addresses. */
async function southboundAgrees(): Promise<true | undefined> {
  const ports = await table('nbctl', 'Logical_Switch_Port', 'name', 'addresses');
  const routers = await table('nbctl', 'Logical_Router_Port', 'name');
  const bindings = new Map(
    (await table('sbctl', 'Port_Binding', 'logical_port', 'mac')).map(row => [row[0], row[1]]),
  );
  const agree = ports.every(([name, addresses]) => bindings.has(name) && same(bindings.get(name), addresses));
  return agree && bindings.size === ports.length + routers.length ? true : undefined;
}

const same = (a: unknown, b: unknown) =>
  JSON.stringify(a) === JSON.stringify(b) || JSON.stringify(b) === '"router"';

/** Whether there is such a process; one that has ended and waits for its parent is none. */
function isRunning(pid: number): boolean {
  try {
    return !/^\S+ \(.*\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a running sandbox', () => {
  it('loses no packet between untouched pods when the master is killed in the middle of 200 changes', async () => {
    const { ips } = await sandbox.attached(TO);
    // The first packet of a path may be lost while the tunnel's neighbours find each other.
    await sandbox.allReachable();
    await sandbox.output('kill', 'runner');
    const { sent, answered } = await sandbox.pingDuring(FROM, ips[0] ?? '', async () => {
      for (let number = 0; number < 200; number += 1) {
        writePods(`churn-${number}.json`, [{ name: `p${number}`, node: `worker-${(number % 3) + 1}` }]);
      }
      await eventually('some of the ports', async () => {
        const ports = await table('nbctl', 'Logical_Switch_Port', 'name');
        return ports.length > 40 ? true : undefined;
      });
      await sandbox.output('kill', 'master');
      for (let number = 0; number < 200; number += 2) rmSync(file(`churn-${number}.json`));
      await sandbox.output('start', 'master');
      await eventually(
        'the northbound equals the manifests',
        async () => {
          const names = (await table('nbctl', 'Logical_Switch_Port', 'name')).map(([name]) => String(name));
          const churn = names.filter(name => name.startsWith('churn_'));
          return churn.length === 100 && new Set(names).size === names.length ? true : undefined;
        },
        30_000,
      );
      for (let number = 1; number < 200; number += 2) rmSync(file(`churn-${number}.json`));
      await eventually('the churn is gone', async () => {
        const names = (await table('nbctl', 'Logical_Switch_Port', 'name')).map(([name]) => String(name));
        return names.some(name => name.startsWith('churn_')) ? undefined : true;
      });
    });
    await sandbox.output('start', 'runner');
    expect(sent).toBeGreaterThan(20);
    expect(answered).toBe(sent);
  }, 180_000);

  it('has a southbound that agrees after changes while northd stood still', async () => {
    const pods = [
      { name: 'stays', node: 'worker-1' },
      { name: 'moves', node: 'worker-1', uid: 'first' },
      { name: 'again', node: 'worker-2', uid: 'first' },
    ];
    await applied(() => writePods('still.json', pods));
    const before = await sandbox.attached('churn/moves');
    const northd = await sandbox.pid('northd');
    process.kill(northd, 'SIGSTOP');
    try {
      await applied(() => rmSync(file('still.json')));
      await applied(() =>
        writePods('still.json', [
          { name: 'stays', node: 'worker-1' },
          { name: 'moves', node: 'worker-3', uid: 'second' },
          { name: 'again', node: 'worker-2', uid: 'second' },
        ]),
      );
    } finally {
      process.kill(northd, 'SIGCONT');
    }
    await eventually('the southbound agrees', southboundAgrees, 30_000);
    await sandbox.attached('churn/moves', before.netns);
    await sandbox.allReachable();
    await applied(() => rmSync(file('still.json')));
    await eventually('the southbound agrees', southboundAgrees, 30_000);
  }, 240_000);

  it.each([
    'worker-2/agent',
    'worker-2/controller',
    'worker-2/vswitchd',
    'worker-2/ovsdb',
    'northd',
    'sb',
    'nb',
  ])(
    'is whole again after kill -9 and start of %s',
    async name => {
      await sandbox.output('kill', name);
      await sandbox.output('start', name);
      await sandbox.allReachable();
      writePods('after.json', [{ name: 'after', node: 'worker-2' }]);
      const { ips } = await sandbox.attached('churn/after');
      await eventually(
        'the new pod answers',
        async () => {
          const { code } = await sandbox.run('exec', FROM, '--', 'ping', '-c', '1', '-W', '1', ips[1] ?? '');
          return code === 0 ? true : undefined;
        },
        30_000,
      );
      await applied(() => rmSync(file('after.json')));
    },
    180_000,
  );

  it('leaves nothing behind when it goes', async () => {
    const { processes, nodes, pods, outside } = await sandbox.status();
    const { code } = await sandbox.down();
    expect(code).toBe(0);
    const left = (await runToEnd('ip', ['netns', 'list'])).stdout;
    for (const { netns } of [...nodes, ...pods, outside]) expect(left).not.toContain(netns);
    expect(left).not.toContain(`knb-${sandbox.name}-`);
    expect(processes.filter(({ pid }) => isRunning(pid))).toEqual([]);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(sandbox.name);
  }, 60_000);
});
