import type { ManifestProblem } from './manifest-claims.ts';
import type { KubeObject, ObjectKey } from './manifest-object.ts';

/** The state of a source beside its objects. */
export interface SourceStatus {
  /** 1 for the first reading, then one more for each changed input, also where no object changes. */
  readonly generation: number;
  readonly problems: readonly ManifestProblem[];
  /** false while the source does not know all of its objects. Nothing is deleted until it is true. */
  readonly synced: boolean;
}

/** What changed; the first one has all objects in `put`. */
export interface SourceChange extends SourceStatus {
  readonly put: readonly KubeObject[];
  readonly deleted: readonly ObjectKey[];
}

/** Kubernetes objects and how they change: a folder of manifests, or an API server. */
export interface ObjectSource {
  /** The listener is never called before this returns, and no more after the function that it returns was called. */
  watch(listener: (change: SourceChange) => void): () => void;
}
