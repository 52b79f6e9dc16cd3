import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/** One verb on one resource that an account is granted. */
export interface Right {
  /** The ServiceAccount as the API server names its user. */
  readonly user: string;
  readonly verb: string;
  /** '' for the core group. */
  readonly group: string;
  /** With its subresource, such as `pods/status`. */
  readonly resource: string;
  /** Undefined: in every namespace, or of the cluster. */
  readonly namespace: string | undefined;
  /** Undefined: objects of every name. */
  readonly names: readonly string[] | undefined;
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** A Role, ClusterRole or a binding of one, as far as it is looked at. */
interface Document {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules?: readonly Rule[];
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly namespace: string; readonly name: string }[];
}

/** The rights that `deploy/rbac.yaml` grants. */
export function deployedRights(): readonly Right[] {
  return rightsOf(readFileSync(join(__dirname, '../../deploy/rbac.yaml'), 'utf8'));
}

/** The rights that RBAC objects grant, each verb on each resource by itself. */
export function rightsOf(yaml: string): readonly Right[] {
  const documents = parseAllDocuments(yaml).map(document => document.toJS() as Document);
  return documents.flatMap(({ metadata, roleRef, subjects = [] }) => {
    const role = documents.find(
      ({ kind, metadata: { name } }) => kind === roleRef?.kind && name === roleRef.name,
    );
    const namespace = roleRef?.kind === 'Role' ? metadata.namespace : undefined;
    return subjects.flatMap(subject => {
      const user = `system:serviceaccount:${subject.namespace}:${subject.name}`;
      return (role?.rules ?? []).flatMap(rule => expand(rule).map(right => ({ user, namespace, ...right })));
    });
  });
}

function expand(rule: Rule): readonly Omit<Right, 'user' | 'namespace'>[] {
  const names = rule.resourceNames;
  return rule.apiGroups.flatMap(group =>
    rule.resources.flatMap(resource => rule.verbs.map(verb => ({ verb, group, resource, names }))),
  );
}

/** A right in words: `kube-northbound-master: patch pods/status`. */
export function rightText({ user, verb, group, resource, namespace, names }: Right): string {
  const what = group === '' ? resource : `${resource}.${group}`;
  const which = names === undefined ? '' : ` named ${names.join(', ')}`;
  const where = namespace === undefined ? '' : ` in ${namespace}`;
  return `${user.split(':').at(-1)}: ${verb} ${what}${which}${where}`;
}
