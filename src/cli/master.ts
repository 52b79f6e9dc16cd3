import { resolve } from 'node:path';
import { Command } from 'commander';
import { openKubernetes } from '../cluster/api/index.ts';
import { liesIn } from '../cluster/manifest-files.ts';
import { loadConfig } from '../config/index.ts';
import { runMaster } from '../master/master.ts';
import { syncOnce } from '../master/once.ts';
import type { Requirements } from '../observe/conditions.ts';
import { logConnections } from '../observe/connections.ts';
import { createLog } from '../observe/log.ts';
import { addDatabaseOptions, type DatabaseOptions, remotesOf, tlsOf } from './database-options.ts';
import { UsageError } from './exit.ts';
import { addLeaseOptions, clusterOptionsOf, type LeaseOptions, leaseTimingOf } from './lease-options.ts';
import { addLogLevel, type LogLevelOption } from './log-option.ts';
import { addObservation, type ObservationOption, observationAddress, whileObserved } from './observation.ts';
import { concludeRun } from './report.ts';
import { seconds } from './seconds.ts';
import { untilSignal } from './signals.ts';
import { addSourceOptions, type SourceOptions, sourceOf } from './source-options.ts';

interface Options extends SourceOptions, DatabaseOptions, LeaseOptions, LogLevelOption, ObservationOption {
  readonly once?: boolean;
  readonly strict?: boolean;
  readonly timeout: number;
  readonly config?: string;
  readonly statusFile?: string;
}

const EXAMPLE = `
Examples:
  kube-northbound master --manifests examples/first-light --nb unix:/var/run/ovn/ovnnb_db.sock \\
      --sb unix:/var/run/ovn/ovnsb_db.sock
  kube-northbound master --kubeconfig ~/.kube/config --nb tcp:192.0.2.10:6641 --sb tcp:192.0.2.10:6642`;

export function masterCommand(): Command {
  const command = new Command('master').description("Keeps OVN's northbound database equal to the cluster.");
  addSourceOptions(command);
  addDatabaseOptions(command, ['nb', 'sb']);
  addLeaseOptions(command);
  return addObservation(addLogLevel(command), 'master')
    .option('--once', 'synchronise, prune, wait until the database shows it, and exit')
    .option('--timeout <seconds>', 'with --once: how long that may take', seconds, 30)
    .option(
      '--strict',
      'refuse policies that are not enforced yet; with --once, exit with 1 where an object is refused',
    )
    .option('--config <file>', 'configuration (YAML)')
    .option('--status-file <file>', 'keep the status as JSON in this file')
    .addHelpText('after', EXAMPLE)
    .action((options: Options) => run(options));
}

async function run(options: Options): Promise<void> {
  const log = createLog({ level: options.logLevel });
  logConnections(log);
  const source = sourceOf(options);
  const timing = leaseTimingOf(options);
  const client = 'access' in source ? openKubernetes(source.access) : undefined;
  const manifests = 'manifests' in source ? source.manifests : [];
  checkStatusFile(options.statusFile, manifests);
  const shared = {
    config: loadConfig(options.config),
    strict: options.strict ?? false,
    input: client ? { cluster: clusterOptionsOf(options, timing, client) } : { manifests },
    northbound: { remotes: remotesOf(options, 'nb'), tls: tlsOf(options) },
    statusFile: options.statusFile,
    log,
  };
  const southbound = { remotes: remotesOf(options, 'sb'), tls: tlsOf(options) };
  const address = observationAddress(options, 'master');
  try {
    if (options.once) {
      concludeRun(await syncOnce({ ...shared, timeout: options.timeout * 1000 }), shared.strict);
      return;
    }
    if (manifests.includes('-'))
      throw new UsageError('standard input (-) goes with --once only: give a folder');
    const requirements = requirementsOf(options);
    await untilSignal(signal =>
      whileObserved({ component: 'master', address, requirements, log }, () =>
        runMaster({ ...shared, southbound }, signal),
      ),
    );
  } finally {
    client?.close();
  }
}

/** What makes this master ready. */
function requirementsOf({ manifests }: SourceOptions): Requirements {
  const withManifests = manifests !== undefined;
  return {
    databases: ['OVN_Northbound'],
    resources: withManifests ? [] : ['nodes', 'namespaces', 'pods'],
    manifests: withManifests,
    lease: !withManifests,
    cni: false,
  };
}

/** A status that is read as a manifest would be a changed input each time that it is written. */
function checkStatusFile(file: string | undefined, manifests: readonly string[]): void {
  const folder = manifests.find(given => file !== undefined && liesIn(resolve(given), resolve(file)));
  if (folder !== undefined)
    throw new UsageError(`--status-file ${file} lies in --manifests ${folder}: write it somewhere else`);
}
