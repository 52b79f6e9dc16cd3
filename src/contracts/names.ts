/** Names that master and node must agree on. They are OVN-Kubernetes' names, so that its runbooks go on working. */

/** The logical switch port of a pod on the cluster's default network. */
export function podPort(namespace: string, name: string): string {
  return `${namespace}_${name}`;
}

/** The logical switch port behind a node's management interface. */
export function managementPort(node: string): string {
  return `k8s-${node}`;
}

/** The cluster router's port to a node's switch; its southbound Port_Binding tells gateway addresses and prefixes. */
export function routerPort(node: string): string {
  return `rtos-${node}`;
}

/** The interface on each node through which the node and the cluster network reach each other. */
export const MANAGEMENT_INTERFACE = 'ovn-k8s-mp0';

/** The integration bridge that ovn-controller programs. */
export const INTEGRATION_BRIDGE = 'br-int';
