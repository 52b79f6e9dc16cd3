import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClusterEvent } from '../cluster/diagnostics.ts';
import type { MasterEvent } from '../master/diagnostics.ts';
import type { NodeEvent } from '../node/diagnostics.ts';
import type { DiagnosticEvent } from '../ovsdb-client/index.ts';

/** What the rooms publish, by the last word of their channel's name. */
interface Events {
  readonly ovsdb: DiagnosticEvent;
  readonly cluster: ClusterEvent;
  readonly master: MasterEvent;
  readonly node: NodeEvent;
}

/** Listeners to the rooms' diagnostics channels that end together. */
export class Channels {
  readonly #ends: (() => void)[] = [];

  on<K extends keyof Events>(room: K, listener: (event: Events[K]) => void): void {
    const name = `kube-northbound:${room}`;
    // Each channel has one publisher, whose type the table above names.
    const hear = (message: unknown) => listener(message as Events[K]);
    subscribe(name, hear);
    this.#ends.push(() => unsubscribe(name, hear));
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end();
  }
}
