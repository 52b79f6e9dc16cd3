// Generated from OVN_Northbound 7.0.0 by tools/modelgen.mjs. Do not edit.
import type { RowRef } from '../ovsdb-state/row.ts';

/** A reference to a row of a table. */
export type Ref<T extends keyof Tables> = RowRef & { readonly table: T };

export interface NBGlobalColumns {
  readonly name?: string;
  readonly nb_cfg?: number;
  readonly nb_cfg_timestamp?: number;
  readonly sb_cfg?: number;
  readonly sb_cfg_timestamp?: number;
  readonly hv_cfg?: number;
  readonly hv_cfg_timestamp?: number;
  readonly external_ids?: Readonly<Record<string, string>>;
  readonly connections?: readonly Ref<'Connection'>[];
  readonly ssl?: Ref<'SSL'> | readonly [];
  readonly options?: Readonly<Record<string, string>>;
  readonly ipsec?: boolean;
}

export interface CoppColumns {
  readonly name?: string;
  readonly meters?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface LogicalSwitchColumns {
  readonly name?: string;
  readonly ports?: readonly Ref<'Logical_Switch_Port'>[];
  readonly acls?: readonly Ref<'ACL'>[];
  readonly qos_rules?: readonly Ref<'QoS'>[];
  readonly load_balancer?: readonly Ref<'Load_Balancer'>[];
  readonly load_balancer_group?: readonly Ref<'Load_Balancer_Group'>[];
  readonly dns_records?: readonly Ref<'DNS'>[];
  readonly copp?: Ref<'Copp'> | readonly [];
  readonly other_config?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
  readonly forwarding_groups?: readonly Ref<'Forwarding_Group'>[];
}

export interface LogicalSwitchPortColumns {
  readonly name?: string;
  readonly type?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly parent_name?: string | readonly [];
  readonly tag_request?: number | readonly [];
  readonly tag?: number | readonly [];
  readonly addresses?: readonly string[];
  readonly dynamic_addresses?: string | readonly [];
  readonly port_security?: readonly string[];
  readonly up?: boolean | readonly [];
  readonly enabled?: boolean | readonly [];
  readonly dhcpv4_options?: Ref<'DHCP_Options'> | readonly [];
  readonly dhcpv6_options?: Ref<'DHCP_Options'> | readonly [];
  readonly mirror_rules?: readonly Ref<'Mirror'>[];
  readonly ha_chassis_group?: Ref<'HA_Chassis_Group'> | readonly [];
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface ForwardingGroupColumns {
  readonly name?: string;
  readonly vip?: string;
  readonly vmac?: string;
  readonly liveness?: boolean;
  readonly external_ids?: Readonly<Record<string, string>>;
  readonly child_port?: readonly string[];
}

export interface AddressSetColumns {
  readonly name?: string;
  readonly addresses?: readonly string[];
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface PortGroupColumns {
  readonly name?: string;
  readonly ports?: readonly Ref<'Logical_Switch_Port'>[];
  readonly acls?: readonly Ref<'ACL'>[];
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface LoadBalancerColumns {
  readonly name?: string;
  readonly vips?: Readonly<Record<string, string>>;
  readonly protocol?: 'tcp' | 'udp' | 'sctp' | readonly [];
  readonly health_check?: readonly Ref<'Load_Balancer_Health_Check'>[];
  readonly ip_port_mappings?: Readonly<Record<string, string>>;
  readonly selection_fields?: readonly ('eth_src' | 'eth_dst' | 'ip_src' | 'ip_dst' | 'tp_src' | 'tp_dst')[];
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface LoadBalancerGroupColumns {
  readonly name?: string;
  readonly load_balancer?: readonly Ref<'Load_Balancer'>[];
}

export interface LoadBalancerHealthCheckColumns {
  readonly vip?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface ACLColumns {
  readonly name?: string | readonly [];
  readonly priority?: number;
  readonly direction?: 'from-lport' | 'to-lport';
  readonly match?: string;
  readonly action?: 'allow' | 'allow-related' | 'allow-stateless' | 'drop' | 'reject';
  readonly log?: boolean;
  readonly severity?: 'alert' | 'warning' | 'notice' | 'info' | 'debug' | readonly [];
  readonly meter?: string | readonly [];
  readonly label?: number;
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface QoSColumns {
  readonly priority?: number;
  readonly direction?: 'from-lport' | 'to-lport';
  readonly match?: string;
  readonly action?: Readonly<Record<string, number>>;
  readonly bandwidth?: Readonly<Record<string, number>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface MirrorColumns {
  readonly name?: string;
  readonly filter?: 'from-lport' | 'to-lport';
  readonly sink?: string;
  readonly type?: 'gre' | 'erspan';
  readonly index?: number;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface MeterColumns {
  readonly name?: string;
  readonly unit?: 'kbps' | 'pktps';
  readonly bands?: readonly Ref<'Meter_Band'>[];
  readonly fair?: boolean | readonly [];
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface MeterBandColumns {
  readonly action?: 'drop';
  readonly rate?: number;
  readonly burst_size?: number;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface LogicalRouterColumns {
  readonly name?: string;
  readonly ports?: readonly Ref<'Logical_Router_Port'>[];
  readonly static_routes?: readonly Ref<'Logical_Router_Static_Route'>[];
  readonly policies?: readonly Ref<'Logical_Router_Policy'>[];
  readonly enabled?: boolean | readonly [];
  readonly nat?: readonly Ref<'NAT'>[];
  readonly load_balancer?: readonly Ref<'Load_Balancer'>[];
  readonly load_balancer_group?: readonly Ref<'Load_Balancer_Group'>[];
  readonly copp?: Ref<'Copp'> | readonly [];
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface LogicalRouterPortColumns {
  readonly name?: string;
  readonly gateway_chassis?: readonly Ref<'Gateway_Chassis'>[];
  readonly ha_chassis_group?: Ref<'HA_Chassis_Group'> | readonly [];
  readonly options?: Readonly<Record<string, string>>;
  readonly networks?: readonly string[];
  readonly mac?: string;
  readonly peer?: string | readonly [];
  readonly enabled?: boolean | readonly [];
  readonly ipv6_ra_configs?: Readonly<Record<string, string>>;
  readonly ipv6_prefix?: readonly string[];
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface LogicalRouterStaticRouteColumns {
  readonly route_table?: string;
  readonly ip_prefix?: string;
  readonly policy?: 'src-ip' | 'dst-ip' | readonly [];
  readonly nexthop?: string;
  readonly output_port?: string | readonly [];
  readonly bfd?: Ref<'BFD'> | readonly [];
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface LogicalRouterPolicyColumns {
  readonly priority?: number;
  readonly match?: string;
  readonly action?: 'allow' | 'drop' | 'reroute';
  readonly nexthop?: string | readonly [];
  readonly nexthops?: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface NATColumns {
  readonly external_ip?: string;
  readonly external_mac?: string | readonly [];
  readonly external_port_range?: string;
  readonly logical_ip?: string;
  readonly logical_port?: string | readonly [];
  readonly type?: 'dnat' | 'snat' | 'dnat_and_snat';
  readonly allowed_ext_ips?: Ref<'Address_Set'> | readonly [];
  readonly exempted_ext_ips?: Ref<'Address_Set'> | readonly [];
  readonly gateway_port?: Ref<'Logical_Router_Port'> | readonly [];
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface DHCPOptionsColumns {
  readonly cidr?: string;
  readonly options?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface ConnectionColumns {
  readonly target?: string;
  readonly max_backoff?: number | readonly [];
  readonly inactivity_probe?: number | readonly [];
  readonly other_config?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
  readonly is_connected?: boolean;
  readonly status?: Readonly<Record<string, string>>;
}

export interface DNSColumns {
  readonly records?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface SSLColumns {
  readonly private_key?: string;
  readonly certificate?: string;
  readonly ca_cert?: string;
  readonly bootstrap_ca_cert?: boolean;
  readonly ssl_protocols?: string;
  readonly ssl_ciphers?: string;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface GatewayChassisColumns {
  readonly name?: string;
  readonly chassis_name?: string;
  readonly priority?: number;
  readonly external_ids?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

export interface HAChassisColumns {
  readonly chassis_name?: string;
  readonly priority?: number;
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface HAChassisGroupColumns {
  readonly name?: string;
  readonly ha_chassis?: readonly Ref<'HA_Chassis'>[];
  readonly external_ids?: Readonly<Record<string, string>>;
}

export interface BFDColumns {
  readonly logical_port?: string;
  readonly dst_ip?: string;
  readonly min_tx?: number | readonly [];
  readonly min_rx?: number | readonly [];
  readonly detect_mult?: number | readonly [];
  readonly status?: 'down' | 'init' | 'up' | 'admin_down' | readonly [];
  readonly external_ids?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
}

export interface StaticMACBindingColumns {
  readonly logical_port?: string;
  readonly ip?: string;
  readonly mac?: string;
  readonly override_dynamic_mac?: boolean;
}

export interface ChassisTemplateVarColumns {
  readonly chassis?: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly external_ids?: Readonly<Record<string, string>>;
}

/** The desired columns of each table; a column that is left out is empty, or not ours. */
export interface Tables {
  readonly NB_Global: NBGlobalColumns;
  readonly Copp: CoppColumns;
  readonly Logical_Switch: LogicalSwitchColumns;
  readonly Logical_Switch_Port: LogicalSwitchPortColumns;
  readonly Forwarding_Group: ForwardingGroupColumns;
  readonly Address_Set: AddressSetColumns;
  readonly Port_Group: PortGroupColumns;
  readonly Load_Balancer: LoadBalancerColumns;
  readonly Load_Balancer_Group: LoadBalancerGroupColumns;
  readonly Load_Balancer_Health_Check: LoadBalancerHealthCheckColumns;
  readonly ACL: ACLColumns;
  readonly QoS: QoSColumns;
  readonly Mirror: MirrorColumns;
  readonly Meter: MeterColumns;
  readonly Meter_Band: MeterBandColumns;
  readonly Logical_Router: LogicalRouterColumns;
  readonly Logical_Router_Port: LogicalRouterPortColumns;
  readonly Logical_Router_Static_Route: LogicalRouterStaticRouteColumns;
  readonly Logical_Router_Policy: LogicalRouterPolicyColumns;
  readonly NAT: NATColumns;
  readonly DHCP_Options: DHCPOptionsColumns;
  readonly Connection: ConnectionColumns;
  readonly DNS: DNSColumns;
  readonly SSL: SSLColumns;
  readonly Gateway_Chassis: GatewayChassisColumns;
  readonly HA_Chassis: HAChassisColumns;
  readonly HA_Chassis_Group: HAChassisGroupColumns;
  readonly BFD: BFDColumns;
  readonly Static_MAC_Binding: StaticMACBindingColumns;
  readonly Chassis_Template_Var: ChassisTemplateVarColumns;
}
