import { channel } from 'node:diagnostics_channel';

/**
 * What the Kubernetes side says about itself on the diagnostics channel `kube-northbound:cluster`. A `resource` is
 * named as RBAC names it: `pods`, `nodes/status`, `events`. Durations are seconds.
 */
export type ClusterEvent =
  /** A request was answered; `code` is the HTTP status, 0 where there was no answer. */
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly resource: string;
      readonly code: number;
      readonly seconds: number;
    }
  /** All objects of a resource have been read: at the start, or again as the watch could not go on. */
  | { readonly kind: 'listed'; readonly resource: string; readonly objects: number }
  /** A watch has told of something; `type` as the API names it, such as `ADDED` or `BOOKMARK`. */
  | { readonly kind: 'watch-event'; readonly resource: string; readonly type: string }
  /** A watch has ended and another one follows. */
  | {
      readonly kind: 'watch-ended';
      readonly resource: string;
      readonly reason: 'closed' | 'expired' | 'broken' | 'silent';
    }
  /** The Lease was read or written, or could not be. `term` is its `leaseTransitions`. */
  | { readonly kind: 'lease'; readonly holds: boolean; readonly term: number }
  | { readonly kind: 'lease-failed'; readonly reason: string }
  /** How many writes wait, and how one of them ended. */
  | { readonly kind: 'write-queue'; readonly depth: number }
  | {
      readonly kind: 'written';
      readonly resource: string;
      readonly result: 'done' | 'retried' | 'given-up';
    }
  /** An object is refused from now on, in whole or in part; `reason` is that of its Event. */
  | { readonly kind: 'refused'; readonly reason: string };

const cluster = channel('kube-northbound:cluster');

/** Publishes an event to whoever listens. */
export function publish(event: ClusterEvent): void {
  if (cluster.hasSubscribers) cluster.publish(event);
}
