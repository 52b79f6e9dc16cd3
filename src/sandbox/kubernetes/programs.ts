import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Log } from '../../contracts/log.ts';
import { cacheFolder, fillCache } from '../cache.ts';
import { packageFile } from '../package-files.ts';
import { buildPrograms, ControlPlaneError } from './build-programs.ts';

/** The programs of a Kubernetes control plane, and kubectl. */
const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'] as const;

/**
 * The folder with the programs of a control plane: the one that `KUBEBUILDER_ASSETS` names (envtest's convention), else
 * `${XDG_CACHE_HOME:-~/.cache}/kube-northbound/control-plane/VERSION-HASH`. Undefined where the cache does not have them
 * yet. Throws {@link ControlPlaneError} where the named folder lacks one.
 */
export function findPrograms(): string | undefined {
  const named = process.env.KUBEBUILDER_ASSETS;
  if (named) {
    const missing = PROGRAMS.filter(program => !existsSync(join(named, program)));
    if (missing.length === 0) return resolve(named);
    throw new ControlPlaneError(
      `KUBEBUILDER_ASSETS: ${named} lacks ${missing.join(', ')}; add them, or unset it to have all of them built`,
    );
  }
  const { target } = wanted();
  return existsSync(target) ? target : undefined;
}

/**
 * As {@link findPrograms}, but builds the programs into the cache where they are not there yet, which takes some minutes.
 * Safe with several at once. Rejects with {@link ControlPlaneError}.
 */
export async function controlPlanePrograms(log: Log): Promise<string> {
  const found = findPrograms();
  if (found !== undefined) return found;
  const { module, version, target } = wanted();
  await fillCache(target, work => buildPrograms({ module, version, work, lock: `${target}.lock`, log }));
  log.info({ folder: target }, 'the Kubernetes control plane is there');
  return target;
}

/** What is to be built, and where it belongs: another go.mod is another folder. */
function wanted(): { readonly module: string; readonly version: string; readonly target: string } {
  const module = packageFile('tools/control-plane');
  const file = join(module, 'go.mod');
  if (!existsSync(file)) throw new ControlPlaneError(`${file} is missing: use a clone of the repository`);
  const text = readFileSync(file, 'utf8');
  const version = /^\s*(?:require )?k8s\.io\/kubernetes v(\d+\.\d+\.\d+)\b/m.exec(text)?.[1];
  if (version === undefined) throw new ControlPlaneError(`${file} names no version of k8s.io/kubernetes`);
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return { module, version, target: cacheFolder('control-plane', `${version}-${hash}`) };
}
