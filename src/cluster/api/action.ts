import type { ApiRequest } from './types.ts';

/** What a request does, in RBAC's words (Kubernetes: "Determine the Request Verb"). */
interface Action {
  readonly verb: string;
  /** '' for the core group. */
  readonly group: string;
  /** With its subresource: `pods/status`. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

const PATH =
  /^\/(?:api|apis\/(?<group>[^/]+))\/[^/]+(?:\/namespaces\/(?<namespace>[^/]+)(?=\/))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>.+))?$/;

function actionOf({ method, path, query }: ApiRequest): Action {
  const { group = '', namespace, resource = path, name, subresource } = PATH.exec(path)?.groups ?? {};
  return {
    verb: verbOf(method, name, query?.watch === 'true' || query?.watch === '1'),
    group,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
  };
}

function verbOf(method: ApiRequest['method'], name: string | undefined, watch: boolean): string {
  switch (method) {
    case 'GET':
      if (watch) return 'watch';
      return name === undefined ? 'list' : 'get';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return name === undefined ? 'deletecollection' : 'delete';
  }
}

/** For people: `list pods in namespace shop`. */
export function formatAction(request: ApiRequest): string {
  const { verb, resource, namespace, name } = actionOf(request);
  const which = name === undefined ? '' : ` ${name}`;
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
  return `${verb} ${resource}${which}${where}`;
}

/** The rule of a Role or ClusterRole that allows the request. */
export function formatRule(request: ApiRequest): string {
  const { verb, group, resource, namespace } = actionOf(request);
  const where = namespace === undefined ? 'for the whole cluster' : `in namespace ${namespace}`;
  return `apiGroups [${JSON.stringify(group)}], resources [${JSON.stringify(resource)}], verbs [${JSON.stringify(verb)}] ${where}`;
}
