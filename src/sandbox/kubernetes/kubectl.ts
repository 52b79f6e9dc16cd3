import { join } from 'node:path';
import { type RunOptions, runCommand } from '../processes/run-command.ts';

/** Who kubectl speaks to, and the folder that it is in. */
export interface Cluster {
  readonly bin: string;
  readonly kubeconfig: string;
}

/** Variables that make kubectl speak to a cluster. */
export function kubectlEnvironment(kubeconfig: string): Readonly<Record<string, string>> {
  // Its cache of what the server offers would outlive the server in the user's home.
  return { KUBECONFIG: kubeconfig, KUBECACHEDIR: `${kubeconfig}.cache` };
}

/** Runs kubectl(1) to its end and gives its standard output. Rejects with CommandError. */
export function kubectl(
  { bin, kubeconfig }: Cluster,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const env = { ...process.env, ...kubectlEnvironment(kubeconfig) };
  return runCommand({ file: join(bin, 'kubectl'), args }, { ...options, env });
}
