import type { Cidr } from '../addresses/index.ts';
import { systemClock } from '../cluster/watch/clock.ts';
import type { Log } from '../contracts/log.ts';
import { MANAGEMENT_INTERFACE } from '../contracts/names.ts';
import type { Operation, Row, RowDelta } from '../ovsdb-client/index.ts';
import { Requests } from './cni/requests.ts';
import { type CniServer, listen } from './cni/server.ts';
import { Coalesced } from './coalesced.ts';
import { type Database, settle, until } from './database.ts';
import { publish } from './diagnostics.ts';
import type { PodInstances } from './kubernetes/node-pods.ts';
import { Management } from './management.ts';
import { type ChassisWish, chassisOperations, tunnelAddress } from './ovs/chassis.ts';
import type { OwnNode } from './own-node.ts';
import { Readiness } from './readiness.ts';
import { PortBindings } from './southbound.ts';
import { limited } from './system/limited.ts';
import type { Run } from './system/run.ts';
import { watchInterface } from './system/watch-interface.ts';

export interface AgentOptions {
  readonly self: OwnNode;
  /** The node's pods where Kubernetes tells them; else the southbound alone says which there are. */
  readonly pods: PodInstances | undefined;
  /** The southbound's addresses, for ovn-controller. */
  readonly remote: string;
  /** `--encap-ip`. */
  readonly encapIp: string | undefined;
  readonly ovs: Database;
  readonly southbound: Database;
  readonly socket: string;
  readonly mtu: number;
  readonly clusterSubnets: readonly Cidr[];
  readonly run: Run;
  readonly log: Log;
  /** Told what keeps ADDs from being served, or undefined where nothing does: first when the socket is open. */
  readonly onReadiness: (problem: string | undefined) => void;
}

/** How many programs, ip(8) mostly, run at the same time: more would only wait for the kernel's one lock. */
const PROGRAMS = 8;
/** How long an ADD may wait; together well below the plugin's two minutes, so that its reason is still told. */
const UNKNOWN_MS = 10_000;
const BINDING_MS = 20_000;
const INSTALL_MS = 80_000;
/** How long a CHECK waits for what OVN does in the background. */
const CONVERGE_MS = 3_000;

/** The node's part: this chassis' Open vSwitch, the management port, and pods' interfaces. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #requests: Requests;
  readonly #readiness: Readiness;
  readonly #management: Management;
  readonly #chassis: Coalesced;
  readonly #stopped = new AbortController();
  readonly #ends: (() => unknown)[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
    const { self, pods, ovs, mtu, log } = options;
    const run = limited(options.run, PROGRAMS);
    const bindings = new PortBindings(options.southbound);
    this.#readiness = new Readiness({ self, pods, ovs, bindings });
    const waits = {
      unknownMs: UNKNOWN_MS,
      bindingMs: BINDING_MS,
      installMs: INSTALL_MS,
      convergeMs: CONVERGE_MS,
    };
    this.#requests = new Requests(
      {
        ...{ self, pods, mtu, ovs, bindings, run, ...waits, readiness: this.#readiness },
        ...{ clock: systemClock, random: Math.random },
      },
      log,
    );
    const { clusterSubnets } = options;
    this.#management = new Management({ node: self.name, mtu, clusterSubnets, ovs, bindings, run, log });
    this.#chassis = new Coalesced(
      () => this.#prepareChassis(),
      error => log.error({ error }, "Open vSwitch is not this node's chassis"),
    );
  }

  /**
   * Sets the chassis up, clears what pods that are gone have left, then serves; resolves when requests are accepted.
   * Waits for the local Open vSwitch as long as it takes. Rejects where its settings are not this node's (ChassisError)
   * or the socket cannot be had.
   */
  async start(): Promise<void> {
    const { ovs, self, log, socket, onReadiness } = this.#options;
    this.#ends.push(ovs.onChange(changes => this.#onLocalChange(changes)));
    this.#ends.push(self.onChange(() => this.#chassis.request()));
    this.#chassis.request();
    await until([ovs, self], () => (this.#isChassis() ? true : undefined), {
      ms: Number.POSITIVE_INFINITY,
      signal: this.#stopped.signal,
      late: () => new Error('unreachable'),
    });
    this.#ends.push(this.#management.start());
    this.#ends.push(watchInterface(MANAGEMENT_INTERFACE, () => this.#management.look(), log));
    await this.#requests.sweep();
    if (this.#stopped.signal.aborted) return;
    const server: CniServer = await listen(socket, (request, gone) => this.#requests.handle(request, gone));
    if (this.#stopped.signal.aborted) return server.close();
    this.#ends.push(() => server.close());
    log.info({ node: self.name, socket }, 'serving CNI requests');
    this.#ends.push(
      this.#readiness.follow(problem => {
        publish({ kind: 'readiness', problem });
        onReadiness(problem);
      }),
    );
    this.#sweepWhenPodsAreKnown();
  }

  /** Accepts nothing new, cancels ADDs, waits until all that runs has been answered or undone. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the agent is stopping'));
    publish({ kind: 'readiness', problem: 'the agent is stopping' });
    const closing = this.#ends.splice(0).map(end => end());
    await this.#requests.stop();
    await Promise.all([...closing, this.#chassis.end()]);
  }

  /** Once: afterwards each deletion has its DEL, and what a runtime forgets it tells by GC. */
  #sweepWhenPodsAreKnown(): void {
    const { pods } = this.#options;
    if (!pods) return;
    let end = () => {};
    const look = () => {
      if (!pods.synced) return;
      end();
      end = () => {};
      void this.#requests.sweep();
    };
    if (pods.synced) look();
    else end = pods.onChange(look);
    this.#ends.push(() => end());
  }

  #onLocalChange(changes: readonly RowDelta[]): void {
    const concerned = changes.some(({ table }) => table === 'Open_vSwitch' || table === 'Bridge');
    if (concerned || changes.length === 0) this.#chassis.request();
    if (changes.length === 0 && this.#options.ovs.connected) void this.#requests.retryAbandoned();
  }

  async #prepareChassis(): Promise<void> {
    const { ovs, log, self } = this.#options;
    if (ovs.connected && !this.#openVswitch()) {
      log.warn(
        { node: self.name },
        'the Open_vSwitch table is empty: waiting for "ovs-vsctl --no-wait init"',
      );
    }
    if (!(await settle(ovs, () => this.#chassisOperations() ?? []))) return;
    log.info({ node: self.name }, 'Open vSwitch set up as chassis');
  }

  #isChassis(): boolean {
    return this.#chassisOperations()?.length === 0;
  }

  /** Undefined while the local database or the Node is not known well enough, or the database is not initialised. */
  #chassisOperations(): readonly Operation[] | undefined {
    const { ovs, self } = this.#options;
    const openVswitch = ovs.connected ? this.#openVswitch() : undefined;
    if (!openVswitch) return undefined;
    const wish = this.#chassisWish();
    if (!self.known && tunnelAddress(wish, openVswitch) === undefined) return undefined;
    return chassisOperations(wish, openVswitch, ovs.rows('Bridge'));
  }

  #chassisWish(): ChassisWish {
    const { self, remote, encapIp } = this.#options;
    return { node: self.name, chassisId: self.chassisId, nodeIp: self.nodeIp, remote, encapIp };
  }

  #openVswitch(): Row | undefined {
    const [row] = this.#options.ovs.rows('Open_vSwitch');
    return row;
  }
}
