import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ovnRoot, ovnRootAt } from '../../src/sandbox/ovn/ovn-root.ts';
import { silentLog } from '../node/silent-log.ts';
import { AgentNode, eventually, NODE } from './agent-node.ts';

let node: AgentNode;

beforeAll(async () => {
  const given = process.env.OVN_ROOT;
  node = new AgentNode(given ? await ovnRootAt(given) : await ovnRoot('trixie', silentLog));
  await node.start();
  await makeTopology();
}, 120_000);

afterAll(() => node.stop(), 30_000);

/** The node's switch and its ports, as the master would make them. */
async function makeTopology(): Promise<void> {
  const router = ['lrp-add', 'cluster', `rtos-${NODE}`, '0a:58:0a:80:00:01', '10.128.0.1/23', 'fd01::1/64'];
  const stor = `stor-${NODE}`;
  await node.nbctl('lr-add', 'cluster', '--', ...router);
  await node.nbctl('ls-add', NODE, '--', 'lsp-add', NODE, stor, '--', 'lsp-set-type', stor, 'router');
  await node.nbctl(
    'lsp-set-addresses',
    stor,
    'router',
    '--',
    'lsp-set-options',
    stor,
    `router-port=rtos-${NODE}`,
  );
  await node.nbctl('lsp-add', NODE, `k8s-${NODE}`);
  await node.nbctl('lsp-set-addresses', `k8s-${NODE}`, '0a:58:0a:80:00:02 10.128.0.2 fd01::2');
}

async function addPort(pod: string, uid: string, host: number): Promise<void> {
  const port = `shop_${pod}`;
  const address = `0a:58:0a:80:00:0${host} 10.128.0.${host} fd01::${host}`;
  await node.nbctl('--may-exist', 'lsp-add', NODE, port, '--', 'lsp-set-addresses', port, address);
  await node.nbctl('lsp-set-options', port, `iface-id-ver=${uid}`, `requested-chassis=${NODE}`);
}

function environment(command: string, pod: string, uid: string, sandbox: string, netns: string) {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: sandbox,
    CNI_IFNAME: 'eth0',
    CNI_NETNS: netns,
    CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${pod};K8S_POD_UID=${uid}`,
  };
}

const netnsOf = (pod: string) => `knba-${process.pid}-${pod}`;

async function add(pod: string, uid: string, sandbox: string) {
  const netns = await node.addNamespace(netnsOf(sandbox));
  return node.plugin(environment('ADD', pod, uid, sandbox, netns), '1.1.0');
}

function del(pod: string, uid: string, sandbox: string) {
  return node.plugin(environment('DEL', pod, uid, sandbox, `/run/netns/${netnsOf(sandbox)}`));
}

function ping(netns: string, address: string): Promise<unknown> {
  const attempt = () => node.inNamespace(netns, 'ping', '-c1', '-W1', address);
  return eventually(`${netns} pings ${address}`, attempt);
}

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

/** The interfaces of pods on br-int, and the veths of the node. */
async function leftovers(): Promise<readonly string[]> {
  const ports = (await node.vsctl('list-ports', 'br-int')).split('\n');
  const links = JSON.parse((await node.inNode('ip', '-json', 'link', 'show', 'type', 'veth')) || '[]');
  return [...ports, ...links.map((link: { ifname: string }) => link.ifname)].filter(name =>
    name.startsWith('knb'),
  );
}

/** An ADD that must succeed; the plugin's own words where it does not. */
async function added(pod: string, uid: string, sandbox: string): Promise<Readonly<Record<string, unknown>>> {
  const { status, output } = await add(pod, uid, sandbox);
  if (status !== 0) throw new Error(`ADD of ${pod}: ${JSON.stringify(output)}`);
  return output;
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
    await ping(node.netns, '10.128.0.1');
    await ping(node.netns, 'fd01::1');
    await node.inNode('ip', 'route', 'delete', '10.128.0.0/14');
    await node.inNode('ip', 'address', 'delete', '10.128.0.2/23', 'dev', 'ovn-k8s-mp0');
    await ping(node.netns, '10.128.0.1');
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
    await ping(node.netns, '10.128.0.1');
  });
});

describe('pods', () => {
  it('reach the node and each other, and leave nothing behind', async () => {
    await addPort('web', 'uid-1', 5);
    await addPort('db', 'uid-2', 6);
    const [web] = await Promise.all([
      added('web', 'uid-1', 'sandbox-web'),
      added('db', 'uid-2', 'sandbox-db'),
    ]);
    expect(web).toMatchObject({
      cniVersion: '1.1.0',
      interfaces: [{ mtu: 1400 }, { name: 'eth0', mac: '0a:58:0a:80:00:05', mtu: 1400 }],
      ips: [
        { address: '10.128.0.5/23', gateway: '10.128.0.1', interface: 1 },
        { address: 'fd01::5/64', gateway: 'fd01::1', interface: 1 },
      ],
    });
    for (const address of ['10.128.0.2', 'fd01::2', '10.128.0.6', 'fd01::6']) {
      await ping(netnsOf('sandbox-web'), address);
    }
    await ping(node.netns, '10.128.0.5');
    await ping(node.netns, 'fd01::5');
    // Without its checksums done by the pod's kernel, TCP would not pass.
    await connectTcp(node.netns, netnsOf('sandbox-web'), '10.128.0.5');
    await connectTcp(netnsOf('sandbox-web'), netnsOf('sandbox-db'), 'fd01::6');
    expect(await del('web', 'uid-1', 'sandbox-web')).toEqual({ status: 0, output: {} });
    expect(await del('web', 'uid-1', 'sandbox-web')).toEqual({ status: 0, output: {} });
    await node.deleteNamespace(netnsOf('sandbox-db'));
    expect((await del('db', 'uid-2', 'sandbox-db')).status).toBe(0);
    expect(await leftovers()).toEqual([]);
  }, 60_000);

  it('a late DEL does not cut the successor', async () => {
    await addPort('web', 'uid-1', 5);
    await added('web', 'uid-1', 'first');
    await addPort('web', 'uid-9', 5);
    await added('web', 'uid-9', 'second');
    expect((await del('web', 'uid-1', 'first')).status).toBe(0);
    await ping(netnsOf('second'), '10.128.0.2');
    expect((await del('web', 'uid-9', 'second')).status).toBe(0);
    expect(await leftovers()).toEqual([]);
  }, 60_000);

  it('an unknown pod is to be tried again, after 10 s', async () => {
    const started = performance.now();
    const { status, output } = await add('nobody', 'uid-1', 'unknown');
    expect({ status, code: output.code }).toEqual({ status: 1, code: 11 });
    expect(performance.now() - started).toBeGreaterThan(9_900);
    expect(await leftovers()).toEqual([]);
  }, 30_000);

  it('a namespace that does not exist is a wrong CNI_NETNS', async () => {
    await addPort('web', 'uid-1', 5);
    const env = environment('ADD', 'web', 'uid-1', 'nowhere', '/run/netns/knba-missing');
    expect(await node.plugin(env)).toMatchObject({ status: 1, output: { code: 4 } });
  });

  it('an interface that is there already is not touched', async () => {
    await addPort('web', 'uid-1', 5);
    await added('web', 'uid-1', 'twice');
    const again = environment('ADD', 'web', 'uid-1', 'twice', `/run/netns/${netnsOf('twice')}`);
    for (const sandbox of ['twice', 'other']) {
      const answer = await node.plugin({ ...again, CNI_CONTAINERID: sandbox });
      expect(answer).toMatchObject({ status: 1, output: { code: 4, msg: expect.stringContaining('eth0') } });
    }
    await ping(netnsOf('twice'), '10.128.0.2');
    expect((await del('web', 'uid-1', 'twice')).status).toBe(0);
    expect(await leftovers()).toEqual([]);
  }, 30_000);

  it('a pod that goes while its flows are installed leaves nothing behind', async () => {
    await addPort('web', 'uid-1', 5);
    await node.kill('controller', 'SIGKILL');
    const adding = add('web', 'uid-1', 'waiting');
    await eventually('the port is on br-int', async () => expect((await leftovers()).length).toBe(2));
    await node.nbctl('lsp-del', 'shop_web');
    expect(await adding).toMatchObject({ status: 1, output: { code: 11 } });
    expect(await leftovers()).toEqual([]);
    node.startController();
  }, 60_000);

  it('a plugin that is killed cancels its ADD, and so does a DEL', async () => {
    await addPort('web', 'uid-1', 5);
    await node.kill('controller', 'SIGKILL');
    const adding = add('web', 'uid-1', 'cancelled');
    await eventually('the port is on br-int', async () => expect((await leftovers()).length).toBe(2));
    expect((await del('web', 'uid-1', 'cancelled')).status).toBe(0);
    expect(await adding).toMatchObject({ status: 1, output: { code: 11 } });
    expect(await leftovers()).toEqual([]);
    node.startController();
  }, 60_000);

  it('survive a restart of the databases, of ovs-vswitchd and of the agent', async () => {
    await addPort('web', 'uid-1', 5);
    await added('web', 'uid-1', 'lasting');
    await node.kill('ovs', 'SIGKILL');
    await node.startDatabase('ovs');
    await node.kill('vswitchd', 'SIGKILL');
    await node.startSwitch();
    await ping(netnsOf('lasting'), '10.128.0.2');
    expect(await node.kill('agent', 'SIGTERM')).toBe(0);
    await node.startAgent();
    await ping(node.netns, 'fd01::5');
    expect((await del('web', 'uid-1', 'lasting')).status).toBe(0);
    expect(await leftovers()).toEqual([]);
  }, 90_000);
});
