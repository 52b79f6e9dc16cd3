import { isRaw, type Raw } from '../facts/raw.ts';
import type { KubeObject, ObjectKey } from '../manifest-object.ts';

/** A kind of object as the API server lists and watches it. */
export interface WatchedResource {
  readonly apiVersion: string;
  readonly kind: string;
  /** `/api/v1/pods`, `/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies`. */
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

/** An object with its version. */
export interface ReadObject {
  readonly object: KubeObject;
  /** `namespace/name`, or the name where there is no namespace. */
  readonly key: string;
  readonly version: string;
}

/** What selects the resource's objects, for a request. */
export function selectorsOf({
  fieldSelector,
  labelSelector,
}: WatchedResource): Readonly<Record<string, string>> {
  return {
    ...(fieldSelector !== undefined && { fieldSelector }),
    ...(labelSelector !== undefined && { labelSelector }),
  };
}

/** The resource for people: `Pods with spec.nodeName=worker-1`. */
export function formatResource({ kind, fieldSelector, labelSelector }: WatchedResource): string {
  const selectors = [fieldSelector, labelSelector].filter(selector => selector !== undefined);
  return selectors.length === 0 ? `${kind}s` : `${kind}s with ${selectors.join(' and ')}`;
}

/** The resource as RBAC names it: `pods`. */
export function nameOf({ path }: WatchedResource): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * An object as a list or a watch has it, in the one shape of both: in lists, items lack apiVersion and kind. A text says
 * why it cannot be read.
 */
export function readObject({ apiVersion, kind }: WatchedResource, value: unknown): ReadObject | string {
  if (!isRaw(value) || !isRaw(value.metadata)) return 'it has no metadata';
  const { name, namespace, resourceVersion } = value.metadata;
  if (!isName(name)) return `its name is ${JSON.stringify(name)}`;
  if (namespace !== undefined && namespace !== '' && !isName(namespace)) {
    return `its namespace is ${JSON.stringify(namespace)}`;
  }
  if (typeof resourceVersion !== 'string' || resourceVersion === '') return 'it has no resourceVersion';
  const raw: Raw = { ...value, apiVersion, kind };
  const object = { apiVersion, kind, namespace: namespace || undefined, name, raw };
  return { object, key: keyOf(object), version: resourceVersion };
}

function keyOf({
  namespace,
  name,
}: {
  readonly namespace: string | undefined;
  readonly name: string;
}): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** The inverse of a {@link ReadObject}'s key. */
export function objectKey({ apiVersion, kind }: WatchedResource, key: string): ObjectKey {
  const slash = key.indexOf('/');
  return {
    apiVersion,
    kind,
    namespace: slash < 0 ? undefined : key.slice(0, slash),
    name: key.slice(slash + 1),
  };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('/');
}
