import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ovnRoot, ovnRootAt } from '../../src/sandbox/ovn/ovn-root.ts';
import { silentLog } from '../node/silent-log.ts';
import { AgentNode, eventually, NODE } from './agent-node.ts';
import { AgentPods } from './agent-pods.ts';

let node: AgentNode;
let pods: AgentPods;

const WEB = { name: 'web', uid: 'uid-1', host: 5 };
const DB = { name: 'db', uid: 'uid-2', host: 6 };

beforeAll(async () => {
  const given = process.env.OVN_ROOT;
  node = new AgentNode(given ? await ovnRootAt(given) : await ovnRoot('trixie', silentLog));
  await node.start();
  pods = new AgentPods(node);
  await pods.makeTopology();
}, 120_000);

afterAll(() => node.stop(), 30_000);

/** Sends a word by TCP from one namespace to another. */
async function connectTcp(from: string, to: string, address: string): Promise<void> {
  const serve = `require('node:net').createServer(s => { s.end('hello'); process.exitCode = 0; setTimeout(process.exit, 500); })
    .listen(8080, '::', () => console.log('listening'))`;
  const ask = `require('node:net').connect(8080, '${address}').on('error', () => process.exit(1)).pipe(process.stdout)`;
  const serving = node.inNamespace(to, process.execPath, '-e', serve);
  const answer = await eventually(`${from} reaches ${address} by TCP`, () =>
    node.inNamespace(from, 'timeout', '2', process.execPath, '-e', ask),
  );
  expect(answer).toBe('hello');
  await serving;
}

describe('the node', () => {
  it('becomes a chassis with the name of the Node', async () => {
    const chassis = await eventually('the chassis', async () => {
      const text = await node.tool(
        'ovn-sbctl',
        `--db=${node.socket('sb')}`,
        '--bare',
        '--columns=name,hostname',
        'list',
        'Chassis',
      );
      if (text.trim() === '') throw new Error('no chassis');
      return text;
    });
    expect(chassis.split('\n').filter(Boolean)).toEqual([NODE, NODE]);
    expect(await node.vsctl('get', 'Bridge', 'br-int', 'fail_mode', 'datapath_type')).toBe(
      'secure\nnetdev\n',
    );
  });

  it('has its management port, and repairs it', async () => {
    await pods.ping(node.netns, '10.128.0.1');
    await pods.ping(node.netns, 'fd01::1');
    await node.inNode('ip', 'route', 'delete', '10.128.0.0/14');
    await node.inNode('ip', 'address', 'delete', '10.128.0.2/23', 'dev', 'ovn-k8s-mp0');
    await pods.ping(node.netns, '10.128.0.1');
    const show = async () => {
      const routes = await node.inNode('ip', 'route', 'show', 'dev', 'ovn-k8s-mp0');
      if (!routes.includes('10.128.0.0/14 via 10.128.0.1')) throw new Error(routes);
      return node.inNode('ip', '-json', 'link', 'show', 'dev', 'ovn-k8s-mp0');
    };
    const [link] = JSON.parse(await eventually('the route is back', show));
    expect(link).toMatchObject({ address: '0a:58:0a:80:00:02', mtu: 1400 });
  });
});

describe('an agent that must not start', () => {
  it.each([
    ['a second one at the same socket', [], 'another agent listens'],
    ['one of another Node', ['--node-name', 'worker-2'], 'system-id'],
    ['one that is given the wrong database', ['--ovs', 'SB'], 'Open_vSwitch'],
  ])('%s ends with 1 and its reason, and harms nothing', async (_, options, reason) => {
    const given = options.map(option => (option === 'SB' ? node.socket('sb') : option));
    const ended = await node.runAgent(...given);
    expect(ended).toMatchObject({ status: 1, stderr: expect.stringContaining(reason) });
    expect(await node.vsctl('get', 'Open_vSwitch', '.', 'external_ids:system-id')).toBe(`${NODE}\n`);
    await pods.ping(node.netns, '10.128.0.1');
  });
});

describe('pods', () => {
  it('reach the node and each other, and leave nothing behind', async () => {
    await pods.addPorts(WEB);
    await pods.addPorts(DB);
    const [web] = await Promise.all([pods.added(WEB, 'sandbox-web'), pods.added(DB, 'sandbox-db')]);
    expect(web).toMatchObject({
      cniVersion: '1.1.0',
      interfaces: [{ mtu: 1400 }, { name: 'eth0', mac: '0a:58:0a:80:00:05', mtu: 1400 }],
      ips: [
        { address: '10.128.0.5/23', gateway: '10.128.0.1', interface: 1 },
        { address: 'fd01::5/64', gateway: 'fd01::1', interface: 1 },
      ],
    });
    for (const address of ['10.128.0.2', 'fd01::2', '10.128.0.6', 'fd01::6']) {
      await pods.ping(pods.netnsOf('sandbox-web'), address);
    }
    await pods.ping(node.netns, '10.128.0.5');
    await pods.ping(node.netns, 'fd01::5');
    // Without its checksums done by the pod's kernel, TCP would not pass.
    await connectTcp(node.netns, pods.netnsOf('sandbox-web'), '10.128.0.5');
    await connectTcp(pods.netnsOf('sandbox-web'), pods.netnsOf('sandbox-db'), 'fd01::6');
    expect(await pods.del(WEB, 'sandbox-web')).toEqual({ status: 0, output: {} });
    expect(await pods.del(WEB, 'sandbox-web')).toEqual({ status: 0, output: {} });
    await node.deleteNamespace(pods.netnsOf('sandbox-db'));
    expect((await pods.del(DB, 'sandbox-db')).status).toBe(0);
    expect(await pods.leftovers()).toEqual([]);
  }, 60_000);

  it('a late DEL does not cut the successor', async () => {
    await pods.addPorts(WEB);
    await pods.added(WEB, 'first');
    await pods.addPorts({ ...WEB, uid: 'uid-9' });
    await pods.added({ ...WEB, uid: 'uid-9' }, 'second');
    expect((await pods.del(WEB, 'first')).status).toBe(0);
    await pods.ping(pods.netnsOf('second'), '10.128.0.2');
    expect((await pods.del({ ...WEB, uid: 'uid-9' }, 'second')).status).toBe(0);
    expect(await pods.leftovers()).toEqual([]);
  }, 60_000);

  it('an unknown pod is to be tried again, after 10 s', async () => {
    const started = performance.now();
    const { status, output } = await pods.add({ name: 'nobody', uid: 'uid-1' }, 'unknown');
    expect({ status, code: output.code }).toEqual({ status: 1, code: 11 });
    expect(performance.now() - started).toBeGreaterThan(9_900);
    expect(await pods.leftovers()).toEqual([]);
  }, 30_000);

  it('a namespace that does not exist is a wrong CNI_NETNS', async () => {
    await pods.addPorts(WEB);
    const env = pods.environment('ADD', WEB, 'nowhere');
    expect(await node.plugin(env)).toMatchObject({ status: 1, output: { code: 4 } });
  });

  it('an interface that is there already is not touched', async () => {
    await pods.addPorts(WEB);
    await pods.added(WEB, 'twice');
    const again = pods.environment('ADD', WEB, 'twice');
    for (const sandbox of ['twice', 'other']) {
      const answer = await node.plugin({ ...again, CNI_CONTAINERID: sandbox });
      expect(answer).toMatchObject({ status: 1, output: { code: 4, msg: expect.stringContaining('eth0') } });
    }
    await pods.ping(pods.netnsOf('twice'), '10.128.0.2');
    expect((await pods.del(WEB, 'twice')).status).toBe(0);
    expect(await pods.leftovers()).toEqual([]);
  }, 30_000);

  it('a pod that goes while its flows are installed leaves nothing behind', async () => {
    await pods.addPorts(WEB);
    await node.kill('controller', 'SIGKILL');
    const adding = pods.add(WEB, 'waiting');
    await eventually('the port is on br-int', async () => expect((await pods.leftovers()).length).toBe(2));
    await pods.deletePorts(WEB);
    expect(await adding).toMatchObject({ status: 1, output: { code: 11 } });
    expect(await pods.leftovers()).toEqual([]);
    node.startController();
  }, 60_000);

  it('a plugin that is killed cancels its ADD, and so does a DEL', async () => {
    await pods.addPorts(WEB);
    await node.kill('controller', 'SIGKILL');
    const adding = pods.add(WEB, 'cancelled');
    await eventually('the port is on br-int', async () => expect((await pods.leftovers()).length).toBe(2));
    expect((await pods.del(WEB, 'cancelled')).status).toBe(0);
    expect(await adding).toMatchObject({ status: 1, output: { code: 11 } });
    expect(await pods.leftovers()).toEqual([]);
    node.startController();
  }, 60_000);

  it('survive a restart of the databases, of ovs-vswitchd and of the agent', async () => {
    await pods.addPorts(WEB);
    await pods.added(WEB, 'lasting');
    await node.kill('ovs', 'SIGKILL');
    await node.startDatabase('ovs');
    await node.kill('vswitchd', 'SIGKILL');
    await node.startSwitch();
    await pods.ping(pods.netnsOf('lasting'), '10.128.0.2');
    expect(await node.kill('agent', 'SIGTERM')).toBe(0);
    await node.startAgent();
    await pods.ping(node.netns, 'fd01::5');
    expect((await pods.del(WEB, 'lasting')).status).toBe(0);
    expect(await pods.leftovers()).toEqual([]);
  }, 90_000);
});
