import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { MasterStatus } from '../../src/master/status-file.ts';
import { parseRemotes, type RowDelta } from '../../src/ovsdb-client/index.ts';
import { describeWithControlPlane } from '../support/control-plane.ts';
import { eventually, kubeNorthbound, runToEnd } from '../support/master-process.ts';
import { Onlooker, type Rows, rowsOf } from '../support/northbound-dump.ts';
import { raftMember } from '../support/raft-member.ts';
import { Sandbox } from '../support/sandbox.ts';

/**
 * Two pods that no test touches, on different nodes. Pods come and go on the third one: a port that comes or goes in Open
 * vSwitch's userspace datapath costs others of the same node a packet now and then, without anything of ours.
 */
const FROM = 'shop/from';
const TO = 'shop/to';
/** Longer than a Lease lasts (15 s): nobody leads any more, and who comes back has to be elected anew. In ms. */
const OUTAGE = 20_000;
/** Columns that ovn-northd writes. */
const STATUS = new Set(['up', 'tag', 'dynamic_addresses', 'ipv6_prefix', 'status']);
const LEADERS_KILLED = 4;
/** The kernel asks a silent peer after 15 s, and gives it up after 10 more; then pods are programmed as ever. In ms. */
const HALF_OPEN_BOUND = 60_000;

describeWithControlPlane('a sandbox with Kubernetes and databases of three', () => {
  const sandbox = new Sandbox('o');
  /** What was done to rows that are ours: `insert Logical_Switch_Port shop_from`. */
  const changes: string[] = [];
  /** Keys that more than one row had at the same time. */
  const doubled = new Set<string>();
  let nodes: readonly string[];
  let members: readonly string[];
  let northbound: Onlooker;

  beforeAll(async () => {
    const { code, stderr } = await sandbox.run('up', '--kubernetes', '--raft', '--nodes', '3');
    if (code !== 0) throw new Error(stderr);
    const status = await sandbox.status();
    nodes = status.nodes.map(({ name }) => name);
    const remotes = parseRemotes(status.databases.nb, { defaultPort: 6641 });
    members = remotes.flatMap(remote => (remote.kind === 'unix' ? [remote.path] : []));
    await kubectl('create', 'namespace', 'shop');
    await runPod('from', nodes[0]);
    await runPod('to', nodes[1]);
    await kubectl('create', 'deployment', 'web', '--image=web', '--port=8080', '--replicas=0');
    const onThird = { spec: { template: { spec: { nodeName: nodes[2] } } } };
    await kubectl('patch', 'deployment', 'web', '--patch', JSON.stringify(onThird));
    // The first packet of a path may be lost while the tunnel's neighbours find each other.
    await Promise.all([sandbox.attached(FROM), sandbox.attached(TO)]);
    await sandbox.allReachable();
    northbound = new Onlooker(...remotes);
    await northbound.ready();
    northbound.onDelta(noteChanges);
  }, 240_000);

  afterAll(async () => {
    await northbound?.close();
    await sandbox.down();
  }, 60_000);

  const kubectl = (...args: readonly string[]) => sandbox.output('kubectl', '--namespace', 'shop', ...args);

  /** Runs a pod on a node, past the scheduler. */
  async function runPod(name: string, nodeName: string | undefined): Promise<void> {
    const container = { name, image: name, ports: [{ containerPort: 8080 }] };
    const spec = { nodeName, containers: [container], terminationGracePeriodSeconds: 1 };
    await kubectl('run', name, `--image=${name}`, `--overrides=${JSON.stringify({ spec })}`);
  }

  function noteChanges(deltas: readonly RowDelta[]): void {
    for (const [key, count] of northbound.keyCounts()) if (count > 1) doubled.add(key);
    for (const delta of deltas) {
      const { kind, table, row } = delta;
      const columns = kind === 'modify' ? Object.keys(delta.changed).filter(name => !STATUS.has(name)) : [''];
      if (columns.length > 0) changes.push(`${kind} ${table} ${row.columns.name} ${columns}`.trimEnd());
    }
  }

  const masterStatus = (): MasterStatus =>
    JSON.parse(readFileSync(`/run/kube-northbound/${sandbox.name}/master-status.json`, 'utf8'));

  /** What the API server's objects become, seen for the first time. */
  async function freshRows(): Promise<Rows> {
    const objects = await kubectl('get', 'nodes,namespaces,pods', '--all-namespaces', '--output=json');
    return rowsOf((await kubeNorthbound(['translate', '-f', '-', '--format', 'json'], objects)).stdout);
  }

  /** Waits until the northbound has the rows that a fresh translation gives: none less, none more, each once. */
  async function asFresh(timeout = 60_000): Promise<void> {
    const isRight = async () =>
      JSON.stringify(sorted(northbound.rows())) === JSON.stringify(sorted(await freshRows())) || undefined;
    await eventually('the rows of a fresh translation', isRight, timeout).catch(() => undefined);
    expect(northbound.rows()).toEqual(await freshRows());
    expect([...northbound.keyCounts().values()].filter(count => count !== 1)).toEqual([]);
    expect([...doubled]).toEqual([]);
  }

  /** Pings from node to node by both families while `work` runs: every packet is answered, once. */
  async function withoutLoss(work: () => Promise<void>): Promise<void> {
    const [four = '', six = ''] = (await sandbox.attached(TO)).ips;
    const working = work();
    const counts = await Promise.all(
      [four, six].map(address => sandbox.pingDuring(FROM, address, () => working)),
    );
    for (const { sent, answered, lost } of counts) {
      expect(sent).toBeGreaterThanOrEqual(20);
      expect({ answered, lost }).toEqual({ answered: sent, lost: [] });
    }
  }

  it('keeps everything as it is while the API server is away, and goes on when it is back', async () => {
    changes.length = 0;
    await withoutLoss(async () => {
      await sandbox.output('kill', 'kube-apiserver');
      const killed = performance.now();
      const isOver = () => performance.now() - killed > OUTAGE && masterStatus().lease?.term === null;
      await eventually('the outage is over', () => isOver() || undefined, OUTAGE + 20_000);
      await sandbox.output('start', 'kube-apiserver');
      await runPod('later', nodes[2]);
      await kubectl('wait', '--for=condition=Ready', 'pod/later', '--timeout=90s');
    });
    await asFresh();
    expect(changes.sort()).toEqual([
      'insert Logical_Switch_Port shop_later',
      `modify Logical_Switch ${nodes[2]} ports`,
    ]);
    await sandbox.allReachable();
  }, 180_000);

  it('misses nothing where its connections to the API server are half-open', async () => {
    const rules = await connectionsOf(await sandbox.pid('master'));
    changes.length = 0;
    await withoutLoss(async () => {
      await ip([
        'rule add pref 10 lookup local',
        'rule del pref 0',
        ...rules.map(rule => `rule add ${rule}`),
      ]);
      const cut = performance.now();
      await kubectl('delete', 'pod', 'later');
      await runPod('half-open', nodes[2]);
      await kubectl('wait', '--for=condition=Ready', 'pod/half-open', `--timeout=${HALF_OPEN_BOUND / 1000}s`);
      // Sooner than anybody can know that the peer is gone: then they were not half-open.
      expect(performance.now() - cut).toBeGreaterThan(10_000);
      await ip([
        ...rules.map(rule => `rule del ${rule}`),
        'rule add pref 0 lookup local',
        'rule del pref 10',
      ]);
    });
    await asFresh();
    expect([...new Set(changes)].sort()).toEqual([
      'delete Logical_Switch_Port shop_later',
      'insert Logical_Switch_Port shop_half-open',
      `modify Logical_Switch ${nodes[2]} ports`,
    ]);
  }, 180_000);

  it(`loses and doubles no change while the leader of the northbound is killed ${LEADERS_KILLED} times during churn`, async () => {
    const killed = new Set<string>();
    changes.length = 0;
    await withoutLoss(async () => {
      for (let round = 0; round < LEADERS_KILLED; round++) {
        const seen = changes.length;
        const leader = await leadingMember();
        await kubectl('scale', 'deployment', 'web', `--replicas=${round % 2 === 0 ? 5 : 1}`);
        await eventually('the churn arrives', () => changes.length > seen || undefined, 30_000);
        const name = basename(leader, '.sock');
        await sandbox.output('kill', name);
        killed.add(name);
        await leadingMember();
        await sandbox.output('start', name);
        const isBack = async () => (await raftMember(leader, 'OVN_Northbound')).connected || undefined;
        await eventually(`${name} is a member again`, isBack, 30_000);
      }
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s');
      await asFresh();
    });
    expect(killed.size).toBeGreaterThan(1);
    const ports = changes.filter(change => / Logical_Switch_Port /.test(change));
    // Each port of the churn came once and went once at most.
    expect(new Set(ports).size).toBe(ports.length);
    await sandbox.allReachable();
  }, 240_000);

  /** The socket of the member that leads, once there is one. */
  function leadingMember(): Promise<string> {
    return eventually(
      'the northbound has a leader',
      async () => {
        const answers = members.map(async path => [path, await raftMember(path, 'OVN_Northbound')] as const);
        return (await Promise.all(answers)).find(([, { leader }]) => leader)?.[0];
      },
      30_000,
    );
  }

  const central = () => `knb-${sandbox.name}-central`;

  async function ip(commands: readonly string[]): Promise<void> {
    const { code, stderr } = await runToEnd('ip', ['-n', central(), '-batch', '-'], {
      input: commands.join('\n'),
    });
    if (code !== 0) throw new Error(stderr);
  }

  /** Rules of ip-rule(8) that swallow whatever goes through the connections that a process has with the API server. */
  async function connectionsOf(pid: number): Promise<readonly string[]> {
    const { stdout } = await runToEnd('ip', [
      ...['netns', 'exec', central()],
      ...['ss', '-Htnp', 'state', 'established', 'dport', '=', ':6443'],
    ]);
    const lines = stdout.split('\n').filter(line => line.includes(`pid=${pid},`));
    const ports = lines.map(line => /:(\d+) +\S+:6443 /.exec(line)?.[1]);
    return ports.flatMap(port => [
      `pref 5 ipproto tcp sport ${port} dport 6443 blackhole`,
      `pref 5 ipproto tcp sport 6443 dport ${port} blackhole`,
    ]);
  }
});

/** With its keys in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value) || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
