import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openKubernetes } from '../../../src/cluster/api/index.ts';
import { resourceOf } from '../../../src/cluster/api/observed.ts';
import { ScriptedHttpServer, sendJson, sendStatus } from '../../support/scripted-http-server.ts';

const CHANNEL = 'kube-northbound:cluster';
const heard: unknown[] = [];
const hear = (event: unknown) => heard.push(event);

beforeEach(() => {
  heard.length = 0;
  subscribe(CHANNEL, hear);
});
afterEach(() => {
  unsubscribe(CHANNEL, hear);
});

describe('a request to the API server', () => {
  it('is told with its answer, also where it is refused or has none', async () => {
    const server = await ScriptedHttpServer.listen(({ method }, response) => {
      if (method === 'PATCH') sendStatus(response, 409, 'Conflict', 'changed meanwhile');
      else sendJson(response, { kind: 'PodList' });
    });
    const api = openKubernetes({ kubeconfig: server.kubeconfig({ token: 'x' }) });
    const path = '/api/v1/namespaces/shop/pods/web-1/status';
    const patch = { method: 'PATCH', path, contentType: 'application/merge-patch+json', body: {} } as const;
    await api.request({ method: 'GET', path: '/api/v1/pods' });
    await api.request(patch).catch(() => undefined);
    await server.close();
    await api.request(patch).catch(() => undefined);
    api.close();
    const seconds = expect.any(Number);
    expect(heard).toEqual([
      { kind: 'request', method: 'GET', resource: 'pods', code: 200, seconds },
      { kind: 'request', method: 'PATCH', resource: 'pods/status', code: 409, seconds },
      { kind: 'request', method: 'PATCH', resource: 'pods/status', code: 0, seconds },
    ]);
  });
});

describe('the resource of a path', () => {
  it.each([
    ['/api/v1/pods', 'pods'],
    ['/api/v1/nodes/n1/status', 'nodes/status'],
    ['/api/v1/namespaces', 'namespaces'],
    ['/api/v1/namespaces/shop', 'namespaces'],
    ['/api/v1/namespaces/shop/pods/web-1/status', 'pods/status'],
    ['/apis/events.k8s.io/v1/namespaces/shop/events', 'events'],
    ['/apis/coordination.k8s.io/v1/namespaces/a/leases/b', 'leases'],
    ['/version', ''],
  ])('%s', (path, resource) => {
    expect(resourceOf(path)).toBe(resource);
  });
});
