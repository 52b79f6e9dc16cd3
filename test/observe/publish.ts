import { channel } from 'node:diagnostics_channel';
import type { ClusterEvent } from '../../src/cluster/diagnostics.ts';
import type { MasterEvent } from '../../src/master/diagnostics.ts';
import type { MasterStatus } from '../../src/master/status-file.ts';
import type { NodeEvent } from '../../src/node/diagnostics.ts';
import type { DiagnosticEvent } from '../../src/ovsdb-client/index.ts';

const to =
  <E>(room: string) =>
  (event: E): void =>
    channel(`kube-northbound:${room}`).publish(event);

/** Says something on a room's channel, as the room itself does. */
export const publish = {
  ovsdb: to<DiagnosticEvent>('ovsdb'),
  cluster: to<ClusterEvent>('cluster'),
  master: to<MasterEvent>('master'),
  node: to<NodeEvent>('node'),
};

/** A status with nothing in it but what is given. */
export function masterStatus(given: Partial<MasterStatus>): MasterStatus {
  return {
    generation: 0,
    synced: false,
    pending: 0,
    rows: {},
    refused: [],
    unenforced: [],
    ignored: {},
    ...given,
  };
}
