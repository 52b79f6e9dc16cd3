import { channel } from 'node:diagnostics_channel';

/** What the agent says about itself on the diagnostics channel `kube-northbound:node`. Durations are seconds. */
export type NodeEvent =
  /** Pods can be attached from now on, or not any more: then why. */
  | { readonly kind: 'readiness'; readonly problem: string | undefined }
  | { readonly kind: 'cni-began'; readonly command: string }
  /** `result`: `ok`, or the CNI error code as text. */
  | {
      readonly kind: 'cni-ended';
      readonly command: string;
      readonly result: string;
      readonly seconds: number;
    }
  /**
   * How long an ADD took since it came: until the southbound had the pod's port, and until ovn-controller had
   * installed its flows.
   */
  | { readonly kind: 'programmed'; readonly stage: 'southbound' | 'chassis'; readonly seconds: number };

const node = channel('kube-northbound:node');

/** Publishes an event to whoever listens. */
export function publish(event: NodeEvent): void {
  if (node.hasSubscribers) node.publish(event);
}
