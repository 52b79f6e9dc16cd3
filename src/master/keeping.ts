import { CLUSTER_RESOURCES, KubernetesSource } from '../cluster/kubernetes-source.ts';
import { ManifestSource } from '../cluster/manifest-source.ts';
import type { ObjectSource, SourceChange } from '../cluster/source.ts';
import type { Config } from '../config/index.ts';
import type { Log } from '../contracts/log.ts';
import type { Session } from '../ovsdb-client/index.ts';
import { type ClusterOptions, Contender } from './contender.ts';
import { Keeper, lockFence } from './keeper.ts';
import { type DatabaseAccess, lockNorthbound, openNorthbound, requireUnlocked } from './northbound.ts';
import type { MasterStatus } from './status-file.ts';
import { termlessFence } from './termless-fence.ts';

/** Where objects come from: files and folders, or an API server. */
export type MasterInput = { readonly manifests: readonly string[] } | { readonly cluster: ClusterOptions };

export interface KeepingOptions {
  readonly config: Config;
  /** Whether policies that nothing enforces are refused. */
  readonly strict: boolean;
  readonly input: MasterInput;
  readonly northbound: DatabaseAccess;
  readonly log: Log;
}

/** Whoever keeps the northbound equal to the objects that he is given. */
export interface Keeping {
  take(change: SourceChange): void;
  /** Calls the listener whenever {@link status} or {@link isDone} may read differently. */
  onChange(listener: () => void): () => void;
  status(): MasterStatus;
  /** Whether nothing is left to do, neither in the northbound nor on the objects. */
  isDone(): boolean;
  /** Why it does not come to an end, for people; undefined where nothing is known to be wrong. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export function sourceOf({ input, log }: Pick<KeepingOptions, 'input' | 'log'>): ObjectSource {
  if ('manifests' in input) return new ManifestSource({ paths: input.manifests, log });
  return new KubernetesSource({ api: input.cluster.api, resources: CLUSTER_RESOURCES, log });
}

/** A northbound that is being kept. Close both, the session last. */
export interface OpenKeeping {
  readonly keeping: Keeping;
  readonly session: Session;
}

/**
 * Opens the northbound and gets ready to keep it. Rejects as {@link openNorthbound} does, and as {@link lockNorthbound} or
 * {@link requireUnlocked} do: masters with manifests and masters with an API server keep one another out.
 */
export async function openKeeping(
  options: KeepingOptions,
  bounds: { readonly timeout?: number; readonly signal?: AbortSignal },
): Promise<OpenKeeping> {
  const { config, strict, input, log } = options;
  const session = await openNorthbound(options.northbound, bounds);
  if ('cluster' in input) {
    await requireUnlocked(session, config.installation);
    return { session, keeping: new Contender({ cluster: input.cluster, config, strict, session, log }) };
  }
  const { installation } = config;
  const lock = lockFence(await lockNorthbound(session, installation));
  const fence = termlessFence({ fence: lock, database: session, installation, log });
  return { session, keeping: new Keeper({ config, strict, session, fence, log }) };
}
