import { type Command, Option } from 'commander';
import type { KubernetesAccess } from '../cluster/api/index.ts';
import { UsageError } from './exit.ts';

/** Where a command takes its Kubernetes objects from. */
export interface SourceOptions {
  readonly manifests?: readonly string[];
  readonly kubeconfig?: string;
  readonly inCluster?: boolean;
}

/** Adds `--manifests`, `--kubeconfig` and `--in-cluster` to a command. */
export function addSourceOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--manifests <path>', 'folder or file of manifests; may be given several times').argParser(
        collect,
      ),
    )
    .option('--kubeconfig <file>', 'Kubernetes API server, by the current context of a kubeconfig')
    .option('--in-cluster', 'Kubernetes API server of the cluster that this runs in');
}

/** Gathers the values of an option that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** Where the objects come from. Throws UsageError where there is not exactly one source. */
export function sourceOf(
  options: SourceOptions,
): { readonly manifests: readonly string[] } | { readonly access: KubernetesAccess } {
  const { manifests, kubeconfig, inCluster } = options;
  const given = [manifests, kubeconfig, inCluster].filter(source => source !== undefined);
  if (given.length !== 1) throw new UsageError('give one of --manifests, --kubeconfig and --in-cluster');
  if (manifests) return { manifests };
  return { access: kubeconfig === undefined ? 'in-cluster' : { kubeconfig } };
}
