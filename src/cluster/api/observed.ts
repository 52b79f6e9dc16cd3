import type { IncomingMessage } from 'node:http';
import { publish } from '../diagnostics.ts';
import type { ApiRequest } from './types.ts';

/** Tells how a request was answered, once the answer begins or fails. Gives the answer back. */
export function observed(
  { method, path }: ApiRequest,
  answer: Promise<IncomingMessage>,
): Promise<IncomingMessage> {
  const started = performance.now();
  const tell = (code: number) => {
    const seconds = (performance.now() - started) / 1000;
    publish({ kind: 'request', method, resource: resourceOf(path), code, seconds });
  };
  answer.then(
    ({ statusCode = 0 }) => tell(statusCode),
    () => tell(0),
  );
  return answer;
}

/** The resource of a path, as RBAC names it: `pods`, `pods/status`; '' where it is none (Kubernetes: "API concepts"). */
export function resourceOf(path: string): string {
  const [, rest = ''] = /^\/(?:api\/[^/]+|apis\/[^/]+\/[^/]+)\/(.*)$/.exec(path) ?? [];
  const [resource = '', , subresource] = rest.replace(/^namespaces\/[^/]+\//, '').split('/');
  return subresource === undefined ? resource : `${resource}/${subresource}`;
}
