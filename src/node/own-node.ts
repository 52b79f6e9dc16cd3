/** Something that tells when it has changed. */
export interface Changing {
  /** Gives the function that ends it. */
  onChange(listener: () => void): () => void;
}

/** The Node that the agent runs on. A live object: what it says may change. */
export interface OwnNode extends Changing {
  readonly name: string;
  /** Whether the Node has been read; until then the rest is a guess. */
  readonly known: boolean;
  /** The OVS `system-id` of its chassis. */
  readonly chassisId: string;
  /** The Node's own address, for tunnels where nobody gave another; undefined where it has none. */
  readonly nodeIp: string | undefined;
}

/** A Node as it was read once. */
export function fixedNode(name: string, chassisId: string, nodeIp: string | undefined): OwnNode {
  return { name, known: true, chassisId, nodeIp, onChange: () => () => undefined };
}
