/** The Node that the agent runs on. A live object: what it says may change. */
export interface OwnNode {
  readonly name: string;
  /** The OVS `system-id` of its chassis. */
  readonly chassisId: string;
  /** The Node's own address, for tunnels where nobody gave another; undefined where it has none. */
  readonly nodeIp: string | undefined;
}
