import type { AgentNode, PluginResult } from './agent-node.ts';
import { eventually, NODE } from './agent-node.ts';

/** A pod of the namespace shop, as a master would have named and numbered it. */
export interface TestPod {
  readonly name: string;
  readonly uid: string;
  /** The last part of its addresses, and of its MAC. */
  readonly host: number;
}

/** Pods on an {@link AgentNode}: their ports in OVN, and the calls of a container runtime. */
export class AgentPods {
  readonly node: AgentNode;

  constructor(node: AgentNode) {
    this.node = node;
  }

  /** The node's switch and its ports, as the master would make them. */
  async makeTopology(): Promise<void> {
    const stor = `stor-${NODE}`;
    await this.#nbctl(
      ['lr-add', 'cluster'],
      ['lrp-add', 'cluster', `rtos-${NODE}`, '0a:58:0a:80:00:01', '10.128.0.1/23', 'fd01::1/64'],
      ['ls-add', NODE],
      ['lsp-add', NODE, stor],
      ['lsp-set-type', stor, 'router'],
      ['lsp-set-addresses', stor, 'router'],
      ['lsp-set-options', stor, `router-port=rtos-${NODE}`],
      ['lsp-add', NODE, `k8s-${NODE}`],
      ['lsp-set-addresses', `k8s-${NODE}`, '0a:58:0a:80:00:02 10.128.0.2 fd01::2'],
    );
  }

  async addPorts(...pods: readonly TestPod[]): Promise<void> {
    const commands = pods.flatMap(pod => {
      const port = `shop_${pod.name}`;
      return [
        ['--may-exist', 'lsp-add', NODE, port],
        ['lsp-set-addresses', port, [macOf(pod), ...ipsOf(pod)].join(' ')],
        ['lsp-set-options', port, `iface-id-ver=${pod.uid}`, `requested-chassis=${NODE}`],
      ];
    });
    await this.#nbctl(...commands);
  }

  async deletePorts(...pods: readonly TestPod[]): Promise<void> {
    await this.#nbctl(...pods.map(({ name }) => ['--if-exists', 'lsp-del', `shop_${name}`]));
  }

  netnsOf(sandbox: string): string {
    return `knba-${process.pid}-${sandbox}`;
  }

  environment(command: string, pod: Pick<TestPod, 'name' | 'uid'>, sandbox: string) {
    return {
      CNI_COMMAND: command,
      CNI_CONTAINERID: sandbox,
      CNI_IFNAME: 'eth0',
      CNI_NETNS: `/run/netns/${this.netnsOf(sandbox)}`,
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.uid}`,
    };
  }

  /** ADD in a network namespace of its own. */
  async add(pod: Pick<TestPod, 'name' | 'uid'>, sandbox: string, version = '1.1.0'): Promise<PluginResult> {
    await this.node.addNamespace(this.netnsOf(sandbox));
    return this.node.plugin(this.environment('ADD', pod, sandbox), version);
  }

  /** An ADD that must succeed; the plugin's own words where it does not. */
  async added(pod: TestPod, sandbox: string, version = '1.1.0'): Promise<PluginResult['output']> {
    const { status, output } = await this.add(pod, sandbox, version);
    if (status !== 0) throw new Error(`ADD of ${pod.name}: ${JSON.stringify(output)}`);
    return output;
  }

  del(pod: Pick<TestPod, 'name' | 'uid'>, sandbox: string): Promise<PluginResult> {
    return this.node.plugin(this.environment('DEL', pod, sandbox));
  }

  check(
    pod: TestPod,
    sandbox: string,
    prevResult: PluginResult['output'],
    version = '1.1.0',
  ): Promise<PluginResult> {
    return this.node.plugin(this.environment('CHECK', pod, sandbox), version, { prevResult });
  }

  /** GC; `valid` are the sandboxes that are still wanted. */
  gc(valid: readonly string[]): Promise<PluginResult> {
    const list = valid.map(containerID => ({ containerID, ifname: 'eth0' }));
    return this.node.plugin({ CNI_COMMAND: 'GC' }, '1.1.0', { 'cni.dev/valid-attachments': list });
  }

  status(): Promise<PluginResult> {
    return this.node.plugin({ CNI_COMMAND: 'STATUS' }, '1.1.0');
  }

  ping(netns: string, address: string): Promise<unknown> {
    const attempt = () => this.node.inNamespace(netns, 'ping', '-c1', '-W1', address);
    return eventually(`${netns} pings ${address}`, attempt);
  }

  /** The interfaces of pods on br-int, and the veths of the node. */
  async leftovers(): Promise<readonly string[]> {
    const ports = (await this.node.vsctl('list-ports', 'br-int')).split('\n');
    const links = JSON.parse((await this.node.inNode('ip', '-json', 'link', 'show', 'type', 'veth')) || '[]');
    return [...ports, ...links.map((link: { ifname: string }) => link.ifname)].filter(name =>
      name.startsWith('knb'),
    );
  }

  async #nbctl(...commands: readonly (readonly string[])[]): Promise<void> {
    await this.node.nbctl(...commands.flatMap(command => ['--', ...command]));
  }
}

function macOf({ host }: TestPod): string {
  return `0a:58:0a:80:00:${host.toString(16).padStart(2, '0')}`;
}

/** Without prefix length. */
export function ipsOf({ host }: TestPod): readonly string[] {
  return [`10.128.0.${host}`, `fd01::${host.toString(16)}`];
}
