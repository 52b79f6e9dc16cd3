/**
 * Every row name that translation gives, in one place. They are OVN-Kubernetes' names wherever it has one. A row's key
 * is its name. Names that Kubernetes allows never collide, as they have no underscore; of others the engine refuses one.
 */
import { managementPort, podPort, routerPort } from '../contracts/names.ts';

export { managementPort, podPort, routerPort };

export const CLUSTER_ROUTER = 'ovn_cluster_router';
export const JOIN_SWITCH = 'join';

/** The cluster router's port to the join switch, and the switch's port to it. */
export const ROUTER_TO_JOIN = `rtoj-${CLUSTER_ROUTER}`;
export const JOIN_TO_ROUTER = `jtor-${CLUSTER_ROUTER}`;

/** A node's switch is named like the node. */
export function nodeSwitch(node: string): string {
  return node;
}

/** A node switch's port to the cluster router. */
export function switchToRouter(node: string): string {
  return `stor-${node}`;
}

/** Switches that are not a node's: a Node of that name gets none. */
export const RESERVED_SWITCHES: ReadonlySet<string> = new Set([JOIN_SWITCH]);
