import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ovnRoot, ovnRootAt } from '../../src/sandbox/ovn/ovn-root.ts';
import { silentLog } from '../node/silent-log.ts';
import { AgentNode, eventually, NODE, type PluginResult } from './agent-node.ts';
import { AgentPods, ipsOf, type TestPod } from './agent-pods.ts';

let node: AgentNode;
let pods: AgentPods;

const WEB = { name: 'web', uid: 'uid-1', host: 5 };

/** More than the agent's programs that run at the same time. */
const MANY: readonly TestPod[] = Array.from({ length: 50 }, (_, index) => ({
  name: `p${index}`,
  uid: `uid-of-p${index}`,
  host: 20 + index,
}));

beforeAll(async () => {
  const given = process.env.OVN_ROOT;
  node = new AgentNode(given ? await ovnRootAt(given) : await ovnRoot('trixie', silentLog));
  await node.start();
  pods = new AgentPods(node);
  await pods.makeTopology();
  await pods.addPorts(WEB, ...MANY);
}, 120_000);

afterAll(() => node.stop(), 60_000);

const SAID_NOTHING: PluginResult = { status: 0, output: {} };

const ready = () =>
  eventually('STATUS is good', async () => expect(await pods.status()).toEqual(SAID_NOTHING));

describe('STATUS', () => {
  it('says nothing where pods can be attached', async () => {
    await ready();
  });

  it('tells what keeps pods from being attached, and whether those that are may be cut off', async () => {
    await ready();
    await node.kill('controller', 'SIGKILL');
    await node.tool('ovn-sbctl', `--db=${node.socket('sb')}`, 'chassis-del', NODE);
    const unregistered = { status: 1, output: { code: 51, msg: expect.stringContaining('no chassis') } };
    await eventually('the chassis is gone', async () =>
      expect(await pods.status()).toMatchObject(unregistered),
    );
    node.startController();
    await ready();
    await node.kill('ovs', 'SIGKILL');
    const noDatabase = {
      status: 1,
      output: { code: 50, msg: expect.stringContaining('local Open vSwitch') },
    };
    await eventually('Open vSwitch is away', async () =>
      expect(await pods.status()).toMatchObject(noDatabase),
    );
    await node.startDatabase('ovs');
    await ready();
    await node.kill('agent', 'SIGTERM');
    const noAgent = { status: 1, output: { code: 50, msg: expect.stringContaining('not reachable') } };
    expect(await pods.status()).toMatchObject(noAgent);
    await node.startAgent();
    await ready();
  }, 90_000);
});

describe('CHECK', () => {
  it.each(['0.4.0', '1.0.0', '1.1.0'])(
    'of version %s is content with what ADD has made',
    async version => {
      const result = await pods.added(WEB, `check-${version}`, version);
      expect(result.cniVersion).toBe(version);
      expect(await pods.check(WEB, `check-${version}`, result, version)).toEqual(SAID_NOTHING);
      expect(await pods.del(WEB, `check-${version}`)).toEqual(SAID_NOTHING);
    },
    30_000,
  );

  it.each<[string, readonly string[], string]>([
    ['a link that is down', ['link', 'set', 'dev', 'eth0', 'down'], 'eth0 is down'],
    ['another MAC', ['link', 'set', 'dev', 'eth0', 'address', '02:00:00:00:00:09'], 'not 0a:58:0a:80:00:05'],
    ['another MTU', ['link', 'set', 'dev', 'eth0', 'mtu', '1300'], 'MTU 1300, not 1400'],
    ['no IPv4 address', ['addr', 'del', '10.128.0.5/23', 'dev', 'eth0'], 'lacks the address 10.128.0.5/23'],
    ['no IPv6 address', ['addr', 'del', 'fd01::5/64', 'dev', 'eth0'], 'lacks the address fd01::5/64'],
    ['no IPv4 route', ['route', 'del', 'default'], 'route to 0.0.0.0/0 via 10.128.0.1'],
    ['no IPv6 route', ['-6', 'route', 'del', 'default'], 'route to ::/0 via fd01::1'],
    ['no interface', ['link', 'del', 'dev', 'eth0'], 'no interface eth0'],
  ])(
    'names %s',
    async (_, change, reason) => {
      const sandbox = `broken-${reason.replace(/\W/g, '')}`.slice(0, 40);
      const result = await pods.added(WEB, sandbox);
      await node.inNamespace(pods.netnsOf(sandbox), 'ip', ...change);
      const { status, output } = await pods.check(WEB, sandbox, result);
      expect({ status, code: output.code }).toEqual({ status: 1, code: 100 });
      expect(`${output.msg} ${output.details}`).toContain(reason);
      expect(await pods.del(WEB, sandbox)).toEqual(SAID_NOTHING);
      expect(await pods.leftovers()).toEqual([]);
    },
    30_000,
  );

  it('names what differs in Open vSwitch and in OVN', async () => {
    const result = await pods.added(WEB, 'moved');
    const [port = ''] = (await pods.leftovers()).slice();
    const differs = async (reason: string) =>
      expect(await pods.check(WEB, 'moved', result)).toMatchObject({
        status: 1,
        output: { code: 100, msg: expect.stringContaining(reason) },
      });
    await pods.addPorts({ ...WEB, uid: 'uid-9' });
    await differs('uid uid-9, not uid-1');
    await pods.addPorts({ ...WEB, host: 6 });
    await differs('10.128.0.6');
    await pods.deletePorts(WEB);
    await differs('no port shop_web');
    await pods.addPorts(WEB);
    expect(await pods.check(WEB, 'moved', result)).toEqual(SAID_NOTHING);
    await node.vsctl('del-port', 'br-int', port);
    await differs('br-int has no port');
    expect(await pods.del(WEB, 'moved')).toEqual(SAID_NOTHING);
    expect(await pods.leftovers()).toEqual([]);
  }, 60_000);
});

describe('GC', () => {
  it('removes what is not valid, and never what others have', async () => {
    const [one, two, three] = MANY.slice(0, 3) as [TestPod, TestPod, TestPod];
    await Promise.all([pods.added(one, 'gc-1'), pods.added(two, 'gc-2'), pods.added(three, 'gc-3')]);
    await node.inNode('ip', 'link', 'add', 'knb0123456789ab', 'type', 'veth', 'peer', 'name', 'foreign0');
    const ids = ['external_ids:sandbox=gc-9', 'external_ids:pod-if-name=eth0', 'external_ids:iface-id=x'];
    await node.vsctl('add-port', 'br-int', 'foreign0', '--', 'set', 'Interface', 'foreign0', ...ids);
    // In use by somebody, whatever its name is.
    await node.vsctl('add-port', 'br-int', 'knb0123456789ab');
    expect(await pods.gc(['gc-1', 'gc-3'])).toEqual(SAID_NOTHING);
    expect((await pods.leftovers()).length).toBe(6);
    for (const name of ['foreign0', 'knb0123456789ab']) {
      expect((await node.vsctl('list-ports', 'br-int')).split('\n')).toContain(name);
      await node.vsctl('del-port', 'br-int', name);
    }
    await pods.ping(pods.netnsOf('gc-1'), '10.128.0.2');
    await pods.ping(pods.netnsOf('gc-3'), ipsOf(one)[0] ?? '');
    expect(await node.inNamespace(pods.netnsOf('gc-2'), 'ip', '-brief', 'link')).not.toContain('eth0');
    expect(await pods.gc([])).toEqual(SAID_NOTHING);
    expect(await pods.leftovers()).toEqual([]);
  }, 60_000);
});

describe('50 ADDs at once', () => {
  it('are all served, and all taken back', async () => {
    const started = performance.now();
    const results = await Promise.all(MANY.map(pod => pods.add(pod, `at-once-${pod.name}`)));
    const seconds = (performance.now() - started) / 1000;
    process.stderr.write(`50 ADDs at once: ${seconds.toFixed(1)} s\n`);
    expect(results.filter(({ status }) => status !== 0)).toEqual([]);
    expect((await pods.leftovers()).length).toBe(2 * MANY.length);
    for (const pod of MANY.filter((_, index) => index % 10 === 0)) {
      for (const address of ipsOf(pod)) await pods.ping(node.netns, address);
    }
    const gone = await Promise.all(MANY.map(pod => pods.del(pod, `at-once-${pod.name}`)));
    expect(gone.filter(({ status }) => status !== 0)).toEqual([]);
    expect(await pods.leftovers()).toEqual([]);
  }, 120_000);
});

describe('an agent that is killed', () => {
  it('in the middle of 50 ADDs leaves no orphan and loses no pod', async () => {
    const adding = Promise.all(
      MANY.map(async pod => ({ pod, ...(await pods.add(pod, `killed-${pod.name}`)) })),
    );
    await eventually('some pods have their port', async () => {
      expect((await pods.leftovers()).length).toBeGreaterThan(20);
    });
    await node.kill('agent', 'SIGKILL');
    const first = await adding;
    const failed = first.filter(({ status }) => status !== 0);
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.map(({ output }) => output.code)).toEqual(failed.map(() => 11));
    await node.startAgent();
    await ready();
    // What a runtime does: it takes the failed sandbox back, and tries with a new one. One of them it forgets.
    const forgotten = failed[0]?.pod;
    const again = await Promise.all(
      failed.map(async ({ pod }) => {
        if (pod !== forgotten) await pods.del(pod, `killed-${pod.name}`);
        return pods.add(pod, `again-${pod.name}`);
      }),
    );
    expect(again.filter(({ status }) => status !== 0)).toEqual([]);
    const valid = first.map(({ pod, status }) => `${status === 0 ? 'killed' : 'again'}-${pod.name}`);
    expect(await pods.gc(valid)).toEqual(SAID_NOTHING);
    expect((await pods.leftovers()).length).toBe(2 * MANY.length);
    for (const [index, pod] of MANY.entries()) {
      await pods.ping(pods.netnsOf(valid[index] ?? ''), '10.128.0.2');
      await pods.ping(node.netns, ipsOf(pod)[0] ?? '');
    }
    await pods.gc([]);
    expect(await pods.leftovers()).toEqual([]);
  }, 180_000);

  it('sweeps at its start what is left of pods that are gone, and nothing of the others', async () => {
    const [one, two] = MANY.slice(0, 2) as [TestPod, TestPod];
    await Promise.all([pods.added(one, 'stays'), pods.added(two, 'goes')]);
    await node.kill('agent', 'SIGKILL');
    await node.deleteNamespace(pods.netnsOf('goes'));
    // As an ADD leaves it that was killed before it made the port.
    await node.inNode('ip', 'link', 'add', 'knb0123456789ab', 'type', 'veth', 'peer', 'name', 'other0');
    await node.startAgent();
    await eventually('all is swept', async () => expect((await pods.leftovers()).length).toBe(2));
    await pods.ping(pods.netnsOf('stays'), '10.128.0.2');
    await pods.del(one, 'stays');
    expect(await pods.leftovers()).toEqual([]);
  }, 60_000);
});

describe('an agent that installs', () => {
  it('puts the plugin in place before it serves, and the configuration once pods can be attached', async () => {
    const [bin, conf] = [node.path('bin'), node.path('net.d')];
    await node.kill('agent', 'SIGTERM');
    await node.kill('controller', 'SIGKILL');
    await node.tool('ovn-sbctl', `--db=${node.socket('sb')}`, 'chassis-del', NODE);
    const plugin = ['--cni-plugin', node.path('cni'), '--install-cni-bin', bin];
    await node.startAgent(...plugin, '--install-cni-conf', conf);
    expect((await pods.status()).output.code).toBe(51);
    expect([readdirSync(bin), existsSync(conf)]).toEqual([['kube-northbound-cni'], false]);
    node.startController();
    await ready();
    await eventually('the configuration', async () =>
      expect(readdirSync(conf)).toEqual(['10-kube-northbound.conflist']),
    );
    await node.kill('agent', 'SIGTERM');
    expect([readdirSync(bin).length, readdirSync(conf).length]).toEqual([1, 1]);
    await node.startAgent();
  }, 60_000);
});
