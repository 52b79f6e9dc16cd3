import { channel } from 'node:diagnostics_channel';
import type { MasterStatus } from './status-file.ts';

/** What the master says about itself on the diagnostics channel `kube-northbound:master`. Durations are seconds. */
export type MasterEvent =
  /** Changed objects were translated. */
  | { readonly kind: 'reconciled'; readonly objects: number; readonly seconds: number }
  | { readonly kind: 'status'; readonly status: MasterStatus }
  /** How many rows wait to be written to the northbound. */
  | { readonly kind: 'row-queue'; readonly depth: number }
  /**
   * How long a pod took since the master saw it on its node: until the northbound showed its port, and until OVN said
   * that the port is up.
   */
  | { readonly kind: 'programmed'; readonly stage: 'northbound' | 'up'; readonly seconds: number };

const master = channel('kube-northbound:master');

/** Whether anybody listens: what costs something need not be measured otherwise. */
export function isObserved(): boolean {
  return master.hasSubscribers;
}

/** Publishes an event to whoever listens. */
export function publish(event: MasterEvent): void {
  if (master.hasSubscribers) master.publish(event);
}
