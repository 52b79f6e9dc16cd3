import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import {
  deniedRequests,
  gatheredLogs,
  keepAuditLog,
  keepAuditLogOfSandbox,
  unusedRights,
} from '../support/audit.ts';
import type { AuditEvent } from '../support/control-plane.ts';
import { rightsOf } from '../support/rights.ts';

const RBAC = `
kind: ClusterRole
metadata: {name: node}
rules:
  - {apiGroups: [''], resources: [nodes, pods], verbs: [list, watch]}
  - {apiGroups: [''], resources: [nodes/status], verbs: [patch]}
---
kind: ClusterRoleBinding
metadata: {name: node}
roleRef: {kind: ClusterRole, name: node}
subjects: [{kind: ServiceAccount, namespace: net, name: node}]
---
kind: Role
metadata: {name: node, namespace: net}
rules:
  - {apiGroups: [coordination.k8s.io], resources: [leases], resourceNames: [lead], verbs: [get]}
---
kind: RoleBinding
metadata: {name: node, namespace: net}
roleRef: {kind: Role, name: node}
subjects: [{kind: ServiceAccount, namespace: net, name: node}]
`;
const rights = rightsOf(RBAC);

interface Request {
  readonly user?: string;
  readonly verb: string;
  readonly group?: string;
  readonly resource: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly decision?: 'allow' | 'forbid';
}

/** A line as kube-apiserver writes it. */
function line({ user = 'system:serviceaccount:net:node', decision = 'allow', ...request }: Request): string {
  const [resource, subresource] = request.resource.split('/');
  const { namespace, name, group: apiGroup } = request;
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    stage: 'ResponseComplete',
    requestURI: '/api/v1/…',
    verb: request.verb,
    user: { username: user, groups: ['system:serviceaccounts', 'system:authenticated'] },
    objectRef: { resource, subresource, namespace, name, apiGroup, apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: decision === 'allow' ? 200 : 403 },
    annotations: { 'authorization.k8s.io/decision': decision, 'authorization.k8s.io/reason': '' },
  });
}

const log = (...requests: readonly Request[]): readonly AuditEvent[] =>
  requests.map(request => JSON.parse(line(request)));

const ALL_BUT_ONE: readonly Request[] = [
  { verb: 'list', resource: 'nodes' },
  { verb: 'watch', resource: 'nodes' },
  { verb: 'list', resource: 'pods' },
  { verb: 'watch', resource: 'pods' },
  { verb: 'patch', resource: 'nodes/status', name: 'n1' },
];

describe('denied requests', () => {
  it('are those of the accounts that have rights, each once', () => {
    const events = log(
      { verb: 'get', resource: 'pods', namespace: 'shop', name: 'web-1', decision: 'forbid' },
      { verb: 'get', resource: 'pods', namespace: 'shop', name: 'web-1', decision: 'forbid' },
      { verb: 'patch', resource: 'pods/status', namespace: 'shop', name: 'web-1', decision: 'forbid' },
      {
        verb: 'create',
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'a',
        decision: 'forbid',
      },
      { user: 'system:node:n1', verb: 'list', resource: 'secrets', decision: 'forbid' },
      { verb: 'list', resource: 'nodes' },
    );
    expect(deniedRequests(rights, events)).toEqual([
      'node: get pods shop/web-1',
      'node: patch pods/status shop/web-1',
      'node: create leases.coordination.k8s.io a',
    ]);
  });

  it('do not count where a server that starts refuses what it allows later', () => {
    const early: Request = { verb: 'watch', resource: 'pods', decision: 'forbid' };
    const later: Request = { verb: 'watch', resource: 'pods' };
    expect(deniedRequests(rights, log(early, later))).toEqual([]);
    expect(deniedRequests(rights, log(early), log(later))).toEqual([]);
    expect(deniedRequests(rights, log(later, early))).toEqual(['node: watch pods']);
    expect(deniedRequests(rights, log(early, { verb: 'watch', resource: 'nodes' }))).toEqual([
      'node: watch pods',
    ]);
  });
});

describe('unused rights', () => {
  it('are all where nothing was asked', () => {
    expect(unusedRights(rights, [])).toEqual([
      'node: list nodes',
      'node: watch nodes',
      'node: list pods',
      'node: watch pods',
      'node: patch nodes/status',
      'node: get leases.coordination.k8s.io named lead in net',
    ]);
  });

  it.each<[string, Request | undefined]>([
    ['nobody asked', undefined],
    [
      'another object was asked for',
      { verb: 'get', group: 'coordination.k8s.io', resource: 'leases', namespace: 'net', name: 'other' },
    ],
    [
      'it was in another namespace',
      { verb: 'get', group: 'coordination.k8s.io', resource: 'leases', namespace: 'a', name: 'lead' },
    ],
    ['it was another group', { verb: 'get', resource: 'leases', namespace: 'net', name: 'lead' }],
    [
      'somebody else asked',
      {
        user: 'system:admin',
        verb: 'get',
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'net',
        name: 'lead',
      },
    ],
    [
      'it was denied',
      {
        verb: 'get',
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'net',
        name: 'lead',
        decision: 'forbid',
      },
    ],
  ])('are told: %s', (_, request) => {
    const events = log(...ALL_BUT_ONE, ...(request === undefined ? [] : [request]));
    expect(unusedRights(rights, events)).toEqual(['node: get leases.coordination.k8s.io named lead in net']);
  });

  it('are none where each was used', () => {
    const lease = { group: 'coordination.k8s.io', resource: 'leases', namespace: 'net', name: 'lead' };
    expect(unusedRights(rights, log(...ALL_BUT_ONE, { verb: 'get', ...lease }))).toEqual([]);
  });
});

describe('audit logs of a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'audit-'));
  const all = join(folder, 'all');
  const before = { ...process.env };

  afterEach(() => {
    for (const name of ['KUBE_NORTHBOUND_AUDIT_LOGS', 'KUBE_NORTHBOUND_RUN']) {
      const value = before[name];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    rmSync(all, { recursive: true, force: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('are gathered in one folder where one is named', () => {
    const file = join(folder, 'audit.log');
    const lines = [
      line({ verb: 'list', resource: 'pods' }),
      line({ verb: 'list', resource: 'pods', user: 'system:node:n1' }),
      line({ verb: 'get', resource: 'pods' }).slice(0, -1),
    ];
    writeFileSync(file, lines.join('\n'));
    delete process.env.KUBE_NORTHBOUND_AUDIT_LOGS;
    keepAuditLog(file, 'integration');
    process.env.KUBE_NORTHBOUND_AUDIT_LOGS = all;
    keepAuditLog(join(folder, 'none.log'), 'integration');
    expect(gatheredLogs(all, rights).size).toBe(0);
    keepAuditLog(file, 'integration');
    const [[name, events] = ['', []], ...others] = gatheredLogs(all, rights);
    expect(name).toMatch(/^integration-\d+-\d+-audit\.log$/);
    expect(events.map(({ verb }) => verb)).toEqual(['list']);
    expect(others).toEqual([]);
  });

  it('have those of sandboxes that are taken down', () => {
    process.env.KUBE_NORTHBOUND_RUN = folder;
    process.env.KUBE_NORTHBOUND_AUDIT_LOGS = all;
    mkdirSync(join(folder, 'shop', 'kubernetes'), { recursive: true });
    writeFileSync(
      join(folder, 'shop', 'kubernetes', 'audit.log'),
      `${line({ verb: 'watch', resource: 'pods' })}\n`,
    );
    keepAuditLogOfSandbox(['sandbox', 'down', '--name', 'shop']);
    keepAuditLogOfSandbox(['sandbox', 'down', '--name', 'other']);
    const logs = [...gatheredLogs(all, rights)];
    expect(logs).toEqual([[expect.stringMatching(/^e2e-/), [expect.objectContaining({ verb: 'watch' })]]]);
  });
});
