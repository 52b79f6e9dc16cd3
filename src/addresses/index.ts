/** IP addresses, networks and MACs: parsing, printing, arithmetic. Pure. */
export {
  type Cidr,
  cidrContains,
  cidrOf,
  cidrsOverlap,
  formatCidr,
  formatInterface,
  hostAt,
  type InterfaceAddress,
  lastOf,
  parseCidr,
  parseInterfaceCidr,
  sizeOf,
} from './cidr.ts';
export { compareIps, formatIp, type Ip, type IpKey, ipKey, ipOfKey, parseIp } from './ip.ts';
export { linkLocalOf, macOf, parseMac } from './mac.ts';
export { FIRST_POD_HOST, gatewayOf, lastPodHost, managementIpOf, reservedFor } from './node-subnet.ts';
