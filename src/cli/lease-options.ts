import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { KubernetesClient } from '../cluster/api/index.ts';
import { checkTiming, LEASE_TIMING, type LeaseTiming } from '../cluster/lease/index.ts';
import type { ClusterOptions } from '../master/contender.ts';
import { UsageError } from './exit.ts';
import { seconds } from './seconds.ts';

/** The Lease's namespace where neither an option nor a pod says another one. */
const NAMESPACE = 'kube-northbound';

export interface LeaseOptions {
  readonly leaseNamespace?: string;
  readonly leaseDuration: number;
  readonly leaseRenewDeadline: number;
  readonly leaseRetryPeriod: number;
  readonly firstPruneLimit: number;
  readonly inCluster?: boolean;
}

/** Adds what says how masters of one installation take turns to a command. */
export function addLeaseOptions(command: Command): Command {
  const time = (flag: string, description: string, ms: number) =>
    new Option(`${flag} <seconds>`, description).argParser(seconds).default(ms / 1000);
  return command
    .option(
      '--lease-namespace <name>',
      `namespace of the Lease that elects the leader (default: the pod's own, else ${NAMESPACE})`,
    )
    .addOption(time('--lease-duration', 'how long a silent leader is waited for', LEASE_TIMING.duration))
    .addOption(
      time('--lease-renew-deadline', 'a leader that cannot renew stops after', LEASE_TIMING.renewDeadline),
    )
    .addOption(time('--lease-retry-period', 'pause between renewals', LEASE_TIMING.retryPeriod))
    .addOption(
      new Option(
        '--first-prune-limit <percent>',
        "after a start, delete nothing while more than this share of the installation's rows would go",
      )
        .argParser(percent)
        .default(50),
    );
}

/** The times of the election. Throws UsageError where they make no sense. */
export function leaseTimingOf(options: LeaseOptions): LeaseTiming {
  const timing = {
    duration: options.leaseDuration * 1000,
    renewDeadline: options.leaseRenewDeadline * 1000,
    retryPeriod: options.leaseRetryPeriod * 1000,
  };
  try {
    checkTiming(timing);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  return timing;
}

/** How this process takes part in a cluster. */
export function clusterOptionsOf(
  options: LeaseOptions,
  timing: LeaseTiming,
  api: KubernetesClient,
): ClusterOptions {
  const own = options.inCluster ? api.namespace : undefined;
  return {
    ...{ api, timing },
    identity: `${hostname()}_${randomUUID()}`,
    namespace: options.leaseNamespace ?? own ?? NAMESPACE,
    firstPruneLimit: options.firstPruneLimit / 100,
  };
}

function percent(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError('give a number from 0 to 100');
  return value;
}
