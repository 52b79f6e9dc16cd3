import { exclusive, keys, members, type Ownership, status } from '../ovsdb-state/ownership.ts';

/**
 * What of the northbound is ours, column by column (ovn-nb(5)). Columns that are not listed belong to whoever writes
 * them; those of class `status` to ovn-northd. Never listed are options that other systems insist on for every row,
 * such as a router's `mac_binding_age_threshold`.
 */
export const ownedTables: Ownership['tables'] = {
  Logical_Router: {
    naturalKey: 'name',
    assertsName: true,
    columns: {
      name: exclusive,
      ports: members,
      static_routes: members,
      policies: members,
      nat: members,
      load_balancer: members,
      load_balancer_group: members,
      options: keys('always_learn_from_arp_request'),
      external_ids: keys('k8s-cluster-router'),
    },
  },
  Logical_Router_Port: {
    naturalKey: 'name',
    columns: {
      name: exclusive,
      mac: exclusive,
      networks: exclusive,
      peer: exclusive,
      enabled: exclusive,
      ha_chassis_group: exclusive,
      ipv6_ra_configs: exclusive,
      gateway_chassis: members,
      options: keys(),
      external_ids: keys(),
      ipv6_prefix: status,
      status,
    },
  },
  Logical_Switch: {
    naturalKey: 'name',
    assertsName: true,
    columns: {
      name: exclusive,
      ports: members,
      acls: members,
      qos_rules: members,
      load_balancer: members,
      load_balancer_group: members,
      dns_records: members,
      other_config: keys('subnet', 'exclude_ips', 'ipv6_prefix'),
      external_ids: keys(),
    },
  },
  Logical_Switch_Port: {
    naturalKey: 'name',
    columns: {
      name: exclusive,
      type: exclusive,
      addresses: exclusive,
      port_security: exclusive,
      parent_name: exclusive,
      tag_request: exclusive,
      enabled: exclusive,
      dhcpv4_options: exclusive,
      dhcpv6_options: exclusive,
      ha_chassis_group: exclusive,
      options: keys('router-port', 'iface-id-ver', 'requested-chassis'),
      external_ids: keys('namespace', 'pod'),
      up: status,
      tag: status,
      dynamic_addresses: status,
    },
  },
};

/** Closed first: routers and switches are there before any port in them. */
const phases: Ownership['phases'] = [
  ['Logical_Router', 'Logical_Switch'],
  ['Logical_Router_Port'],
  ['Logical_Switch_Port'],
];

/** The claim of one installation on a northbound database. */
export function northboundOwnership(installation: string): Ownership {
  return { installation, phases, tables: ownedTables };
}
