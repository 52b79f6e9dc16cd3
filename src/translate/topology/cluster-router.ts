import { formatInterface, hostAt, macOf } from '../../addresses/index.ts';
import { routerToSwitch } from '../emit.ts';
import type { Unit } from '../facts.ts';
import { CLUSTER_ROUTER, JOIN_SWITCH, JOIN_TO_ROUTER, ROUTER_TO_JOIN } from '../names.ts';

/**
 * The router between all node switches, and the join switch towards the gateway routers. They are there as long as
 * there is a Node, so that an emptied cluster leaves nothing behind.
 */
export const clusterRouter: Unit = {
  name: 'cluster-router',
  run(read, emit) {
    const network = read.get('network', '');
    if (!network || !read.any('node')) return;
    const addresses = [...network.joinSubnets]
      .sort((a, b) => a.family - b.family)
      .map(subnet => ({ ip: hostAt(subnet, 1), prefix: subnet.prefix }));
    const [first] = addresses;
    if (!first) return;

    emit.row('Logical_Router', CLUSTER_ROUTER, {
      name: CLUSTER_ROUTER,
      // Without this each gateway's ARP request would leave a MAC binding on every chassis.
      options: { always_learn_from_arp_request: 'false' },
      external_ids: { 'k8s-cluster-router': 'yes' },
    });
    emit.row('Logical_Switch', JOIN_SWITCH, { name: JOIN_SWITCH });
    routerToSwitch(
      emit,
      {
        name: CLUSTER_ROUTER,
        port: ROUTER_TO_JOIN,
        mac: macOf(first.ip),
        networks: addresses.map(({ ip, prefix }) => formatInterface(ip, prefix)),
      },
      { name: JOIN_SWITCH, port: JOIN_TO_ROUTER },
    );
  },
};
