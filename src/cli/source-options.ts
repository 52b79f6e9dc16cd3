import { type Command, Option } from 'commander';
import { ExitError, UsageError } from './exit.ts';

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
    .option('--kubeconfig <file>', 'Kubernetes API server by a kubeconfig (not there yet)')
    .option('--in-cluster', 'Kubernetes API server of the cluster that this runs in (not there yet)');
}

/** Gathers the values of an option that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** The manifest paths. Throws UsageError where there is not exactly one source. */
export function manifestsOf(options: SourceOptions): readonly string[] {
  const { manifests, kubeconfig, inCluster } = options;
  const given = [manifests, kubeconfig, inCluster].filter(source => source !== undefined);
  if (given.length !== 1) throw new UsageError('give one of --manifests, --kubeconfig and --in-cluster');
  if (!manifests) {
    throw new ExitError(1, '--kubeconfig and --in-cluster are not there yet: use --manifests with a folder');
  }
  return manifests;
}
