import type { IncomingHttpHeaders } from 'node:http';
import { isRaw, type Raw } from '../facts/raw.ts';
import { formatAction, formatRule } from './action.ts';
import { codeOf, saidBy } from './causes.ts';
import { ApiError, type ApiRequest } from './types.ts';

/** Who asks whom, for messages. */
export interface Parties {
  readonly server: string;
  readonly who: string;
}

const UNTRUSTED: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
]);

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name cannot be resolved now',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to its network',
  ETIMEDOUT: 'it does not answer',
};

/** The error for a connection that did not come about or that broke. */
export function unreachable({ server }: Parties, cause: unknown): ApiError {
  return new ApiError(reasonOf(server, cause), { status: 0, cause });
}

/** The error for an answer that does not come in time. */
export function late({ server }: Parties, timeout: number): ApiError {
  return new ApiError(
    `the Kubernetes API server ${server} does not answer within ${Math.round(timeout / 1000)} s`,
    { status: 0, reason: 'Timeout' },
  );
}

/** The error for an answer that is no JSON object. */
export function nonsense({ server }: Parties, request: ApiRequest, status: number): ApiError {
  return new ApiError(
    `${server} answers ${request.method} ${request.path} with something that is no JSON object: is it a Kubernetes API server?`,
    { status },
  );
}

/** The error for an answer with a status that is no success. */
export function refusal(
  parties: Parties,
  request: ApiRequest,
  answer: { readonly status: number; readonly headers: IncomingHttpHeaders; readonly body: Raw },
): ApiError {
  const { status, headers, body } = answer;
  const reason = typeof body.reason === 'string' ? body.reason : '';
  const said =
    typeof body.message === 'string' && body.message !== '' ? body.message : `HTTP status ${status}`;
  const retryAfter = retryAfterOf(headers, body);
  return new ApiError(sentence(parties, request, status, said), {
    status,
    reason,
    ...(retryAfter === undefined ? {} : { retryAfter }),
  });
}

function sentence({ server, who }: Parties, request: ApiRequest, status: number, said: string): string {
  const what = formatAction(request);
  if (status === 401) {
    return `${server} does not accept the credentials of ${who} (401 ${said}): they are wrong or have expired`;
  }
  // Admission answers 403 as well: RBAC is to blame only where the authoriser says what is lacking.
  if (status === 403 && / cannot \S+ resource /.test(said)) {
    return `${who} must not ${what}: RBAC lacks a rule with ${formatRule(request)} (the server says: ${said})`;
  }
  return `cannot ${what}: ${said}`;
}

/** Retry-After in seconds (RFC 9110, 10.2.3), else what the Status' details say; as ms. */
function retryAfterOf(headers: IncomingHttpHeaders, body: Raw): number | undefined {
  const header = headers['retry-after'];
  if (header !== undefined && /^\d+$/.test(header)) return Number(header) * 1000;
  const seconds = isRaw(body.details) ? body.details.retryAfterSeconds : undefined;
  return typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : undefined;
}

function reasonOf(server: string, cause: unknown): string {
  const code = codeOf(cause);
  const said = saidBy(cause);
  if (UNTRUSTED.has(code)) {
    return `the certificate of ${server} is not signed by the CA that we were given (${said}): check certificate-authority`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `the certificate of ${server} is for other names (${said}): use one of those, or set tls-server-name`;
  }
  if (code === 'CERT_HAS_EXPIRED') return `the certificate of ${server} has expired (${said})`;
  const why = NETWORK[code];
  if (why !== undefined) return `cannot reach the Kubernetes API server ${server}: ${why} (${said})`;
  return `the connection to the Kubernetes API server ${server} failed: ${said}`;
}
