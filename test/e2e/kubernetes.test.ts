import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeWithControlPlane } from '../support/control-plane.ts';
import { eventually, runToEnd } from '../support/master-process.ts';
import { Sandbox, type SandboxStatus } from '../support/sandbox.ts';

const SHOP = ['--namespace', 'shop'] as const;
const TIMEOUT = '--timeout=120s';

/** A pod as `kubectl get pods -o wide` shows it. */
interface ShownPod {
  readonly name: string;
  readonly ready: string;
  readonly status: string;
  readonly ip: string;
  readonly node: string;
}

describeWithControlPlane('a sandbox with Kubernetes', () => {
  const sandbox = new Sandbox('k');
  let kubernetes: { readonly kubeconfig: string; readonly bin: string };

  beforeAll(async () => {
    const { code, stderr } = await sandbox.run('up', '--kubernetes', '--nodes', '3');
    if (code !== 0) throw new Error(stderr);
    const status: SandboxStatus & { readonly kubernetes?: typeof kubernetes } = await sandbox.status();
    if (!status.kubernetes) throw new Error('the status does not tell where Kubernetes is');
    kubernetes = status.kubernetes;
  }, 240_000);

  afterAll(() => sandbox.down(), 60_000);

  async function kubectl(...args: readonly string[]): Promise<string> {
    const { kubeconfig, bin } = kubernetes;
    const command = ['--kubeconfig', kubeconfig, ...args];
    const { code, stdout, stderr } = await runToEnd(join(bin, 'kubectl'), command);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit code ${code}\n${stderr}`);
    return stdout;
  }

  async function shownPods(): Promise<readonly ShownPod[]> {
    const text = await kubectl('get', 'pods', ...SHOP, '-o', 'wide', '--no-headers');
    const lines = text.split('\n').filter(line => line !== '');
    return lines.map(line => {
      const [name = '', ready = '', status = '', , , ip = '', node = ''] = line.split(/ +/);
      return { name, ready, status, ip, node };
    });
  }

  /**
   * Waits until there are so many pods and no others, and every pod and node reaches them by ping and TCP: each of their
   * addresses answers with the pod's name. What kubectl shows must be those addresses.
   */
  async function agree(count: number): Promise<readonly ShownPod[]> {
    const shown = await eventually(
      `there are ${count} pods`,
      async () => {
        const pods = await shownPods();
        return pods.length === count ? pods : undefined;
      },
      120_000,
    );
    expect(shown.map(({ ready, status }) => `${ready} ${status}`)).toEqual(shown.map(() => '1/1 Running'));
    const { pods } = await sandbox.status();
    const place = (name: string, node: string, ip: string | undefined) => `${name} on ${node} has ${ip}`;
    expect(pods.map(({ name, node, ips }) => place(name, node, ips[0])).sort()).toEqual(
      shown.map(({ name, node, ip }) => place(name, node, ip)).sort(),
    );
    const { code, stdout } = await sandbox.run('matrix', '--output', 'json');
    const { results } = JSON.parse(stdout) as { results: { kind: string; result: string }[] };
    expect(results.filter(({ result }) => result !== 'ok')).toEqual([]);
    expect(new Set(results.map(({ kind }) => kind))).toEqual(new Set(['ping', 'tcp']));
    expect(code).toBe(0);
    return shown;
  }

  /** The addresses of a family that a Service's EndpointSlices call ready. */
  async function endpoints(family: 'IPv4' | 'IPv6'): Promise<readonly string[]> {
    const selector = 'kubernetes.io/service-name=web';
    const text = await kubectl('get', 'endpointslices', ...SHOP, '-l', selector, '-o', 'json');
    const { items } = JSON.parse(text) as {
      items: {
        addressType: string;
        endpoints: { addresses: string[]; conditions: { ready?: boolean } }[] | null;
      }[];
    };
    return items
      .filter(({ addressType }) => addressType === family)
      .flatMap(slice => slice.endpoints ?? [])
      .flatMap(({ addresses, conditions }) => (conditions.ready ? addresses : []))
      .sort();
  }

  const rolledOut = () => kubectl('rollout', 'status', 'deployment/web', ...SHOP, TIMEOUT);

  it('has Nodes that are ready, with the addresses of the nodes', async () => {
    const { nodes } = await sandbox.status();
    const format = '{range .items[*]}{.metadata.name} {.status.addresses[*].address}{"\\n"}{end}';
    const shown = (await kubectl('get', 'nodes', '-o', `jsonpath=${format}`)).trim().split('\n');
    expect(shown).toEqual(nodes.map(({ name, ips }) => [name, ...ips, name].join(' ')));
    await kubectl('wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=0');
  });

  it('serves health and metrics of the master and of every agent', async () => {
    const { nodes } = await sandbox.status();
    const hosts = [['central', 9409], ...nodes.map(({ name }) => [name, 9410] as const)] as const;
    for (const [host, port] of hosts) {
      const ask = (path: string) => {
        const request = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
        return sandbox.output('exec', host, '--', 'bash', '-c', request);
      };
      expect(await ask('/readyz')).toMatch(/^HTTP\/1\.1 200 OK\r\n(.*\r\n)*\r\nok\n$/);
      expect(await ask('/metrics')).toContain('\nkube_northbound_watch_lists_total{resource="pods"} 1\n');
    }
  });

  it('runs a deployment of six', async () => {
    await kubectl('create', 'namespace', 'shop');
    await kubectl('create', 'deployment', 'web', ...SHOP, '--image=web', '--replicas=6', '--port=8080');
    await rolledOut();
    const pods = await agree(6);
    expect(new Set(pods.map(({ node }) => node)).size).toBe(3);
  });

  it('has the ready pods as the endpoints of a Service', async () => {
    const dual = { ipFamilyPolicy: 'RequireDualStack' };
    await kubectl('expose', 'deployment', 'web', ...SHOP, '--port=80', '--target-port=8080');
    await kubectl('patch', 'service', 'web', ...SHOP, '-p', JSON.stringify({ spec: dual }));
    const { pods } = await sandbox.status();
    for (const [index, family] of (['IPv4', 'IPv6'] as const).entries()) {
      const ips = pods.map(pod => pod.ips[index]).sort();
      await eventually(`all pods are endpoints (${family})`, async () =>
        (await endpoints(family)).join() === ips.join() ? true : undefined,
      );
    }
  });

  it('runs twenty', async () => {
    await kubectl('scale', 'deployment', 'web', ...SHOP, '--replicas=20');
    await rolledOut();
    const pods = await agree(20);
    await eventually('all pods are endpoints', async () =>
      (await endpoints('IPv4')).join() ===
      pods
        .map(({ ip }) => ip)
        .sort()
        .join()
        ? true
        : undefined,
    );
  });

  it('runs two, and nothing is left of the others', async () => {
    await kubectl('scale', 'deployment', 'web', ...SHOP, '--replicas=2');
    await agree(2);
    const rows = await sandbox.output('nbctl', '--bare', '--columns=name', 'list', 'Logical_Switch_Port');
    expect(rows.split('\n').filter(name => name.startsWith('shop_'))).toHaveLength(2);
    const { stdout } = await runToEnd('ip', ['netns', 'list']);
    expect(stdout.match(new RegExp(`^knb-${sandbox.name}-p`, 'gm'))).toHaveLength(2);
  });

  it('replaces its pods one after the other', async () => {
    await kubectl('scale', 'deployment', 'web', ...SHOP, '--replicas=6');
    await rolledOut();
    const before = (await agree(6)).map(({ name }) => name);
    await kubectl('rollout', 'restart', 'deployment/web', ...SHOP);
    await rolledOut();
    const after = (await agree(6)).map(({ name }) => name);
    expect(after.filter(name => before.includes(name))).toEqual([]);
  });

  it('gives a pod of the same name a network of its own', async () => {
    const pod = { image: 'one', ports: [{ containerPort: 8080 }] };
    const spec = { containers: [{ name: 'one', ...pod }], terminationGracePeriodSeconds: 1 };
    const overrides = `--overrides=${JSON.stringify({ spec })}`;
    const run = () => kubectl('run', 'one', ...SHOP, '--image=one', overrides);
    await run();
    const first = await sandbox.attached('shop/one');
    await kubectl('delete', 'pod', 'one', ...SHOP, '--force', '--grace-period=0');
    await run();
    await kubectl('wait', '--for=condition=Ready', 'pod/one', ...SHOP, TIMEOUT);
    const second = await sandbox.attached('shop/one', first.netns);
    expect(second.mac).not.toBe('');
    await agree(7);
  });

  it('lets a pod live in the network of its node', async () => {
    const spec = {
      hostNetwork: true,
      containers: [{ name: 'host', image: 'host', ports: [{ containerPort: 9000 }] }],
    };
    await kubectl('run', 'host', '--image=host', `--overrides=${JSON.stringify({ spec })}`);
    await kubectl('wait', '--for=condition=Ready', 'pod/host', TIMEOUT);
    const format = 'jsonpath={.spec.nodeName} {.status.podIP} {.status.hostIP}';
    const [name, podIp, hostIp] = (await kubectl('get', 'pod', 'host', '-o', format)).split(' ');
    const node = (await sandbox.status()).nodes.find(candidate => candidate.name === name);
    expect([podIp, hostIp]).toEqual([node?.ips[0], node?.ips[0]]);
    const answer = `exec 3<>/dev/tcp/${podIp}/9000; cat <&3`;
    expect(await sandbox.output('exec', 'outside', '--', 'bash', '-c', answer)).toBe('default/host\n');
    await kubectl('delete', 'pod', 'host');
  });

  it('keeps its pods while the runner and the API server are away, and lets those go that are gone', async () => {
    const before = (await sandbox.status()).pods;
    const [lost] = before.filter(({ name }) => name !== 'one');
    await sandbox.output('kill', 'runner');
    await kubectl('delete', 'pod', ...SHOP, lost?.name ?? '', '--force', '--grace-period=0');
    await sandbox.output('kill', 'kube-apiserver');
    await sandbox.output('start', 'runner');
    await sandbox.output('start', 'kube-apiserver');
    await kubectl('scale', 'deployment', 'web', ...SHOP, '--replicas=7');
    await rolledOut();
    await agree(8);
    const after = (await sandbox.status()).pods;
    expect(after).toEqual(expect.arrayContaining(before.filter(pod => pod !== lost)));
    expect(after.map(({ netns }) => netns)).not.toContain(lost?.netns);
  });

  it('leaves nothing of a namespace that is deleted', async () => {
    await kubectl('delete', 'namespace', 'shop', TIMEOUT);
    expect((await sandbox.status()).pods).toEqual([]);
    await eventually('the rows are gone', async () => {
      const rows = await sandbox.output('nbctl', '--bare', '--columns=name', 'list', 'Logical_Switch_Port');
      return rows.includes('shop_') ? undefined : true;
    });
  });
});
