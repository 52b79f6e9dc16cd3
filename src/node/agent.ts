import type { Cidr } from '../addresses/index.ts';
import type { Log } from '../contracts/log.ts';
import { MANAGEMENT_INTERFACE } from '../contracts/names.ts';
import type { Operation, Row, RowDelta } from '../ovsdb-client/index.ts';
import { Requests } from './cni/requests.ts';
import { type CniServer, listen } from './cni/server.ts';
import { Coalesced } from './coalesced.ts';
import { type Database, settle, until } from './database.ts';
import { Management } from './management.ts';
import { type ChassisWish, chassisOperations } from './ovs/chassis.ts';
import { requireReady } from './readiness.ts';
import { PortBindings } from './southbound.ts';
import { limited } from './system/limited.ts';
import type { Run } from './system/run.ts';
import { watchInterface } from './system/watch-interface.ts';

export interface AgentOptions extends ChassisWish {
  readonly ovs: Database;
  readonly southbound: Database;
  readonly socket: string;
  readonly mtu: number;
  readonly clusterSubnets: readonly Cidr[];
  readonly run: Run;
  readonly log: Log;
}

/** How many programs, ip(8) mostly, run at the same time: more would only wait for the kernel's one lock. */
const PROGRAMS = 8;
/** How long an ADD may wait; together well below the plugin's two minutes, so that its reason is still told. */
const BINDING_MS = 10_000;
const INSTALL_MS = 80_000;
/** How long a CHECK waits for what OVN does in the background. */
const CONVERGE_MS = 5_000;

/** The node's part: this chassis' Open vSwitch, the management port, and pods' interfaces. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #requests: Requests;
  readonly #management: Management;
  readonly #chassis: Coalesced;
  readonly #stopped = new AbortController();
  readonly #ends: (() => unknown)[] = [];

  constructor(options: AgentOptions) {
    this.#options = options;
    const { ovs, log } = options;
    const run = limited(options.run, PROGRAMS);
    const bindings = new PortBindings(options.southbound);
    const common = { node: options.node, mtu: options.mtu, ovs, bindings, run };
    const self = { name: options.node, chassisId: options.chassisId, nodeIp: options.nodeIp };
    const ready = { self, ovs, bindings };
    this.#requests = new Requests(
      {
        ...common,
        self,
        bindingMs: BINDING_MS,
        installMs: INSTALL_MS,
        convergeMs: CONVERGE_MS,
        requireReady: () => requireReady(ready),
      },
      log,
    );
    this.#management = new Management({ ...common, clusterSubnets: options.clusterSubnets, log });
    this.#chassis = new Coalesced(
      () => this.#prepareChassis(),
      error => log.error({ error }, "Open vSwitch is not this node's chassis"),
    );
  }

  /**
   * Sets the chassis up, then serves; resolves when requests are accepted. Waits for the local Open vSwitch as long
   * as it takes. Rejects where its settings are not this node's (ChassisError) or the socket cannot be had.
   */
  async start(): Promise<void> {
    const { ovs, log, socket } = this.#options;
    this.#ends.push(ovs.onChange(changes => this.#onLocalChange(changes)));
    this.#chassis.request();
    await until([ovs], () => (this.#isChassis() ? true : undefined), {
      ms: Number.POSITIVE_INFINITY,
      signal: this.#stopped.signal,
      late: () => new Error('unreachable'),
    });
    this.#ends.push(this.#management.start());
    this.#ends.push(watchInterface(MANAGEMENT_INTERFACE, () => this.#management.look(), log));
    const server: CniServer = await listen(socket, (request, gone) => this.#requests.handle(request, gone));
    if (this.#stopped.signal.aborted) return server.close();
    this.#ends.push(() => server.close());
    log.info({ node: this.#options.node, socket }, 'serving CNI requests');
  }

  /** Accepts nothing new, cancels ADDs, waits until all that runs has been answered or undone. */
  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the agent is stopping'));
    const closing = this.#ends.splice(0).map(end => end());
    await this.#requests.stop();
    await Promise.all([...closing, this.#chassis.end()]);
  }

  #onLocalChange(changes: readonly RowDelta[]): void {
    const concerned = changes.some(({ table }) => table === 'Open_vSwitch' || table === 'Bridge');
    if (concerned || changes.length === 0) this.#chassis.request();
    if (changes.length === 0 && this.#options.ovs.connected) void this.#requests.retryAbandoned();
  }

  async #prepareChassis(): Promise<void> {
    const { ovs, log, node } = this.#options;
    if (ovs.connected && !this.#openVswitch()) {
      log.warn({ node }, 'the Open_vSwitch table is empty: waiting for "ovs-vsctl --no-wait init"');
    }
    if (!(await settle(ovs, () => this.#chassisOperations() ?? []))) return;
    log.info({ node }, 'Open vSwitch set up as chassis');
  }

  #isChassis(): boolean {
    return this.#chassisOperations()?.length === 0;
  }

  /** Undefined while the local database is not known, or has not been initialised. */
  #chassisOperations(): readonly Operation[] | undefined {
    const { ovs } = this.#options;
    const openVswitch = ovs.connected ? this.#openVswitch() : undefined;
    return openVswitch && chassisOperations(this.#options, openVswitch, ovs.rows('Bridge'));
  }

  #openVswitch(): Row | undefined {
    const [row] = this.#options.ovs.rows('Open_vSwitch');
    return row;
  }
}
