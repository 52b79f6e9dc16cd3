import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { RunPaths } from '../../src/sandbox/paths.ts';
import type { AuditEvent } from './control-plane.ts';
import { type Right, rightText } from './rights.ts';

/** Names the folder that audit logs of a whole run of the tests are gathered in. */
const FOLDER = 'KUBE_NORTHBOUND_AUDIT_LOGS';

/** Where audit logs are gathered; undefined where nobody asked for it. */
export function auditFolder(): string | undefined {
  return process.env[FOLDER];
}

/**
 * Keeps a copy of a control plane's audit log, where a run of the tests gathers them. Call it before the log is removed;
 * `origin` tells who wrote it, such as `e2e`.
 */
export function keepAuditLog(log: string, origin: string): void {
  const folder = auditFolder();
  if (folder === undefined || !existsSync(log)) return;
  mkdirSync(folder, { recursive: true });
  copyFileSync(
    log,
    join(folder, `${origin}-${process.pid}-${performance.now().toFixed(0)}-${basename(log)}`),
  );
}

/** As {@link keepAuditLog}, of the sandbox that the arguments of `sandbox down` name. */
export function keepAuditLogOfSandbox(args: readonly string[]): void {
  const name = args[args.indexOf('--name') + 1];
  if (name !== undefined) keepAuditLog(join(new RunPaths(name).kubernetes, 'audit.log'), 'e2e');
}

/** What the gathered logs say of the accounts that have rights, by file. */
export function gatheredLogs(
  folder: string,
  rights: readonly Right[],
): ReadonlyMap<string, readonly AuditEvent[]> {
  const users = [...new Set(rights.map(({ user }) => JSON.stringify(user)))];
  const files = existsSync(folder) ? readdirSync(folder).sort() : [];
  return new Map(
    files.map(file => {
      const lines = readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1);
      // Most lines are the controllers' own.
      const ours = lines.filter(line => users.some(user => line.includes(user)));
      return [file, ours.map(line => JSON.parse(line) as AuditEvent)];
    }),
  );
}

/**
 * The requests of the accounts in `rights` that the API server did not allow, each once, as words. An API server that
 * starts refuses everybody until it knows its roles: what is granted, and allowed when it is asked for again, was refused
 * by such a one, and does not count. `elsewhere`: of other API servers, where it may be asked for, too.
 */
export function deniedRequests(
  rights: readonly Right[],
  events: readonly AuditEvent[],
  elsewhere: readonly AuditEvent[] = [],
): readonly string[] {
  const users = new Set(rights.map(({ user }) => user));
  const denied = events.filter((event, index) => {
    if (!users.has(event.user.username) || !isDecided(event, 'forbid')) return false;
    const right = rights.find(candidate => uses(event, candidate));
    const isAllowedLater = (later: AuditEvent) => isDecided(later, 'allow') && right && uses(later, right);
    return ![...events.slice(index + 1), ...elsewhere].some(isAllowedLater);
  });
  return [...new Set(denied.map(requestText))];
}

/** The rights that no allowed request made use of, as words. */
export function unusedRights(rights: readonly Right[], events: readonly AuditEvent[]): readonly string[] {
  const allowed = events.filter(event => isDecided(event, 'allow'));
  return rights.filter(right => !allowed.some(event => uses(event, right))).map(rightText);
}

function isDecided({ annotations }: AuditEvent, decision: 'allow' | 'forbid'): boolean {
  return annotations?.['authorization.k8s.io/decision'] === decision;
}

function uses({ user, verb, objectRef }: AuditEvent, right: Right): boolean {
  return (
    user.username === right.user &&
    verb === right.verb &&
    (objectRef?.apiGroup ?? '') === right.group &&
    resourceOf(objectRef) === right.resource &&
    (right.namespace === undefined || objectRef?.namespace === right.namespace) &&
    (right.names === undefined || right.names.includes(objectRef?.name ?? ''))
  );
}

function requestText({ user, verb, objectRef, requestURI }: AuditEvent): string {
  const who = user.username.split(':').at(-1);
  if (objectRef === undefined) return `${who}: ${verb} ${requestURI}`;
  const { apiGroup, namespace, name } = objectRef;
  const resource = [resourceOf(objectRef), apiGroup].filter(Boolean).join('.');
  const object = [namespace, name].filter(Boolean).join('/');
  return `${who}: ${verb} ${resource} ${object}`.trimEnd();
}

function resourceOf(objectRef: AuditEvent['objectRef']): string {
  return [objectRef?.resource, objectRef?.subresource].filter(Boolean).join('/');
}
