import { isRaw, type Raw } from './facts/raw.ts';

/** What tells one Kubernetes object from another. */
export interface ObjectKey {
  readonly apiVersion: string;
  readonly kind: string;
  /** undefined for cluster-scoped objects. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** A Kubernetes object as JSON; `raw.metadata.namespace` is filled in where the manifest leaves it out. */
export interface KubeObject extends ObjectKey {
  readonly raw: Raw;
}

/** An object with its line, counted from 0 at the first line of its document. */
export interface PlacedObject {
  readonly line: number;
  readonly object: KubeObject;
}

/** A part of a document that is no Kubernetes object; `line` as in {@link PlacedObject}. */
export interface Refusal {
  readonly line: number;
  readonly reason: string;
}

/** What one document holds. */
export interface DocumentObjects {
  readonly objects: readonly PlacedObject[];
  readonly refusals: readonly Refusal[];
}

/** The line of the list element that the indexes lead to (`items[3].items[0]` is [3, 0]); [] is the document. */
export type Locate = (indexes: readonly number[]) => number;

/** Kinds of Kubernetes' own API groups that live in no namespace, as group/kind; the core group is ''. */
const CLUSTER_SCOPED = new Set([
  '/Namespace',
  '/Node',
  '/PersistentVolume',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apiregistration.k8s.io/APIService',
  'networking.k8s.io/IngressClass',
  'node.k8s.io/RuntimeClass',
  'policy.networking.k8s.io/AdminNetworkPolicy',
  'policy.networking.k8s.io/BaselineAdminNetworkPolicy',
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'scheduling.k8s.io/PriorityClass',
  'storage.k8s.io/CSIDriver',
  'storage.k8s.io/StorageClass',
]);

/** One text per object, for maps: equal exactly where the keys are equal. */
export function objectId(key: ObjectKey): string {
  return `${key.apiVersion} ${key.kind} ${key.namespace ?? ''}/${key.name}`;
}

/** The object's name for people: `Pod shop/web-0`, `Node worker-1`. */
export function objectTitle(key: ObjectKey): string {
  return `${key.kind} ${key.namespace === undefined ? '' : `${key.namespace}/`}${key.name}`;
}

/**
 * The objects of one document. A list (`List`, or a kind that ends in List and has `items`) unfolds, nested ones too;
 * elements of a typed list such as PodList may leave apiVersion and kind to it. Never throws: what is no Kubernetes
 * object becomes a refusal.
 */
export function objectsOf(document: Raw, locate: Locate): DocumentObjects {
  const found = { objects: [] as PlacedObject[], refusals: [] as Refusal[] };
  unfold(document, [], locate, found);
  return found;
}

function unfold(
  value: Raw,
  indexes: readonly number[],
  locate: Locate,
  found: { objects: PlacedObject[]; refusals: Refusal[] },
): void {
  const line = locate(indexes);
  const where = indexes.map(index => `items[${index}]`).join('.');
  const refuse = (reason: string): void => {
    found.refusals.push({ line, reason: where === '' ? reason : `${where}: ${reason}` });
  };
  if (!isList(value)) {
    const object = readObject(value);
    if (typeof object === 'string') refuse(object);
    else found.objects.push({ line, object });
    return;
  }
  const items = value.items ?? [];
  if (!Array.isArray(items)) {
    refuse('"items" of a list must be a list');
    return;
  }
  for (const [index, item] of items.entries()) {
    if (!isRaw(item)) refuse(`items[${index}] is not a Kubernetes object`);
    else unfold(withKindOf(value, item), [...indexes, index], locate, found);
  }
}

function isList(value: Raw): boolean {
  const { kind } = value;
  return typeof kind === 'string' && (kind === 'List' || (kind.endsWith('List') && 'items' in value));
}

function withKindOf(list: Raw, item: Raw): Raw {
  if (list.kind === 'List' || item.kind !== undefined || item.apiVersion !== undefined) return item;
  return { apiVersion: list.apiVersion, kind: String(list.kind).slice(0, -'List'.length), ...item };
}

/** The object, or the reason why it is none. */
function readObject(value: Raw): KubeObject | string {
  const metadata = isRaw(value.metadata) ? value.metadata : {};
  const { apiVersion, kind } = value;
  const { name } = metadata;
  const fields: readonly (readonly [string, unknown])[] = [
    ['apiVersion', apiVersion],
    ['kind', kind],
    ['metadata.name', name],
    ['metadata.namespace', metadata.namespace || 'default'],
  ];
  const lacking = fields.filter(([, field]) => field === undefined || field === null || field === '');
  if (lacking.length > 0) return `not a Kubernetes object: lacks ${lacking.map(([path]) => path).join(', ')}`;
  for (const [path, field] of fields) {
    const wrong = wrongIdentity(path, field);
    if (wrong !== undefined) return wrong;
  }
  return normalObject(value, metadata, String(apiVersion), String(kind), String(name));
}

/** Names become path segments of the API and parts of row names: the rule is that of Kubernetes' path validation. */
function wrongIdentity(path: string, field: unknown): string | undefined {
  if (typeof field !== 'string') {
    return `${path} must be text, but is ${JSON.stringify(field)}: write it in quotes`;
  }
  if (!path.startsWith('metadata.')) return undefined;
  const usable = field !== '.' && field !== '..' && /^[^/%\s\p{Cc}\p{Cs}]{1,253}$/u.test(field);
  return usable ? undefined : `${path} ${JSON.stringify(field)} is no name for a Kubernetes object`;
}

function normalObject(value: Raw, metadata: Raw, apiVersion: string, kind: string, name: string): KubeObject {
  const clusterScoped = CLUSTER_SCOPED.has(groupKind(apiVersion, kind));
  const namespace = clusterScoped ? undefined : String(metadata.namespace || 'default');
  const { namespace: _, ...rest } = metadata;
  const normal: Record<string, unknown> = namespace === undefined ? rest : { ...rest, namespace };
  if (normal.uid !== undefined) normal.uid = asText(normal.uid);
  for (const field of ['labels', 'annotations']) {
    const texts = normal[field];
    if (isRaw(texts)) {
      normal[field] = Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, asText(text)]));
    }
  }
  return { apiVersion, kind, namespace, name, raw: { ...value, metadata: normal } };
}

/** YAML reads `version: 1` as a number; where Kubernetes has text, its typed decoding takes numbers as text. */
function asText(value: unknown): unknown {
  if (value === null) return '';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
}

function groupKind(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/');
  return `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${kind}`;
}
