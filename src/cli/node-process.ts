import type { Cidr } from '../addresses/index.ts';
import type { Log } from '../contracts/log.ts';
import { Agent } from '../node/agent.ts';
import { installConfiguration, installPlugin } from '../node/install.ts';
import type { NodeKubernetes } from '../node/kubernetes/index.ts';
import type { OwnNode } from '../node/own-node.ts';
import { asDatabase } from '../node/sessions.ts';
import { run } from '../node/system/run.ts';
import type { Session } from '../ovsdb-client/index.ts';
import { packageFile } from '../sandbox/package-files.ts';
import { ExitError } from './exit.ts';

/** All that the process of a node's agent consists of. */
export interface NodeProcess {
  readonly self: OwnNode;
  /** Undefined with manifests. */
  readonly kubernetes: NodeKubernetes | undefined;
  readonly sessions: { readonly ovs: Session; readonly southbound: Session };
  readonly encapIp: string | undefined;
  readonly remote: string;
  readonly socket: string;
  readonly mtu: number;
  readonly clusterSubnets: readonly Cidr[];
  readonly installation: Installation;
  readonly log: Log;
}

/** What is put into folders of the container runtime; nothing where there is no folder. */
export interface Installation {
  /** The file of the CNI plugin; undefined: the one of this package. */
  readonly plugin: string | undefined;
  readonly pluginFolder: string | undefined;
  readonly configurationFolder: string | undefined;
}

/** Serves until the signal says to stop. Throws ExitError where a database is the wrong one. */
export async function serveNode(options: NodeProcess, signal: AbortSignal): Promise<void> {
  const { self, kubernetes, sessions, installation, socket, log } = options;
  const failed = new AbortController();
  const fail = (error: unknown) => failed.abort(error);
  const over = new AbortController();
  const stopping = AbortSignal.any([signal, failed.signal, over.signal]);
  const agent = new Agent({
    ...options,
    pods: kubernetes?.pods,
    ovs: asDatabase(sessions.ovs),
    southbound: asDatabase(sessions.southbound),
    run,
    onReadiness: problem => {
      if (problem === undefined) log.info({ node: self.name }, 'pods can be attached');
      else log.warn({ node: self.name, problem }, 'pods cannot be attached');
      kubernetes?.setProblem(problem);
      if (problem === undefined) configure(installation, socket, log).catch(fail);
    },
  });
  const following = kubernetes?.run(stopping).catch(fail);
  const all = [sessions.ovs, sessions.southbound];
  for (const session of all) {
    session.onState((state, cause) => {
      if (state === 'failed') fail(new ExitError(1, cause?.message ?? 'a database is the wrong one'));
    });
    session.start();
  }
  try {
    await prepare(installation, log);
    await Promise.race([agent.start(), ended(stopping)]);
    await ended(stopping);
    failed.signal.throwIfAborted();
  } finally {
    over.abort();
    await agent.stop();
    await following;
    await Promise.all(all.map(session => session.close()));
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The first step: the plugin of another release may not understand the agent. */
async function prepare({ plugin, pluginFolder }: Installation, log: Log): Promise<void> {
  if (pluginFolder === undefined) return;
  const written = await installPlugin(plugin ?? packageFile('dist/kube-northbound-cni'), pluginFolder);
  if (written) log.info({ folder: pluginFolder }, 'CNI plugin installed');
}

/** The last step: a runtime that finds the configuration counts the node as ready. */
async function configure({ configurationFolder }: Installation, socket: string, log: Log): Promise<void> {
  if (configurationFolder === undefined) return;
  const written = await installConfiguration(configurationFolder, socket);
  if (written) log.info({ folder: configurationFolder }, 'network configuration installed');
}
