import type { CniAddRequest, CniAnswer, CniError } from '../../src/contracts/cni.ts';
import { Requests } from '../../src/node/cni/requests.ts';
import { entryOf } from '../../src/node/database.ts';
import type { PodInstances } from '../../src/node/kubernetes/node-pods.ts';
import { fixedNode } from '../../src/node/own-node.ts';
import { PortBindings } from '../../src/node/southbound.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeDatabase } from './fake-database.ts';
import { FakeKernel } from './fake-kernel.ts';
import { silentLog } from './silent-log.ts';
import { bind } from './southbound-rows.ts';

export const NEVER_GONE = new AbortController().signal;

/** An ADD of pod shop/web. */
export function request(sandbox: string, uid = 'uid-1'): CniAddRequest {
  const pod = { namespace: 'shop', name: 'web', uid };
  return {
    command: 'ADD',
    cniVersion: '1.0.0',
    network: 'test',
    sandbox,
    interfaceName: 'eth0',
    netns: '/proc/self/ns/net',
    pod,
  };
}

interface Setup {
  readonly datapath?: string;
  readonly unknownMs?: number;
  readonly bindingMs?: number;
  readonly installMs?: number;
  readonly pods?: PodInstances;
  /** What STATUS answers. */
  readonly problem?: CniError;
}

/** Requests on a node with br-int and a router port, and no pods. */
export function setup(options: Setup = {}) {
  const { datapath = 'netdev', unknownMs = 50, bindingMs = 50, installMs = 2_000, pods, problem } = options;
  const ovs = new FakeDatabase();
  const southbound = new FakeDatabase();
  ovs.insert('Bridge', { name: 'br-int', ports: new Set(), datapath_type: datapath });
  bind(southbound, 'rtos-worker-1', '0a:58:0a:80:00:01 10.128.0.1/23');
  const kernel = new FakeKernel();
  const clock = new FakeClock();
  const context = {
    self: fixedNode('worker-1', 'worker-1', undefined),
    mtu: 1400,
    convergeMs: 50,
    readiness: { problem },
    pods,
    unknownMs,
    ovs,
    bindings: new PortBindings(southbound),
    run: kernel.run,
    bindingMs,
    installMs,
    clock,
    random: () => 0,
  };
  const requests = new Requests(context, silentLog);
  const add = (sandbox: string, uid?: string, gone = NEVER_GONE) =>
    requests.handle(request(sandbox, uid), gone);
  const del = (sandbox: string) => {
    const { cniVersion, interfaceName } = request(sandbox);
    return requests.handle({ command: 'DEL', cniVersion, sandbox, interfaceName }, NEVER_GONE);
  };
  const sandboxes = () => [...ovs.rows('Interface')].map(row => entryOf(row, 'external_ids', 'sandbox'));
  return { ovs, southbound, kernel, clock, requests, add, del, sandboxes };
}

/** Plays ovn-controller: says of each new interface that its flows are installed. */
export function installFlows(ovs: FakeDatabase): () => void {
  return ovs.onChange(changes => {
    for (const { kind, table, row } of changes) {
      if (table !== 'Interface' || kind !== 'insert') continue;
      const ids = new Map(row.columns.external_ids as Map<string, string>).set('ovn-installed', 'true');
      setImmediate(() => ovs.change('Interface', row.uuid, { external_ids: ids }));
    }
  });
}

/** Resolves when `count` interfaces are on the bridge. */
export function plugged(ovs: FakeDatabase, count: number): Promise<void> {
  return new Promise(resolve => {
    const look = () => {
      if ([...ovs.rows('Interface')].length === count) resolve();
    };
    ovs.onChange(look);
    look();
  });
}

export const codeOf = (answer: CniAnswer) => ('error' in answer ? answer.error.code : undefined);
export const messageOf = (answer: CniAnswer) =>
  'error' in answer ? `${answer.error.msg} ${answer.error.details}` : '';
