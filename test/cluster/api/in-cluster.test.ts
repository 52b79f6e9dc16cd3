import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpKubernetes } from '../../../src/cluster/api/http.ts';
import { inClusterAccess } from '../../../src/cluster/api/in-cluster.ts';
import { RotatingFile } from '../../../src/cluster/api/rotating-file.ts';
import { pki, ScriptedHttpServer, sendJson } from '../../support/scripted-http-server.ts';

let server: ScriptedHttpServer;

beforeEach(async () => {
  server = await ScriptedHttpServer.listen((_, response) => sendJson(response, {}), { tls: true });
  server.file('ca.crt', readFileSync(pki('ca.crt'), 'utf8'));
  server.file('namespace', 'kube-northbound');
  server.file('token', 'abc\n');
});

afterEach(() => server.close());

const environment = () => ({
  KUBERNETES_SERVICE_HOST: '127.0.0.1',
  KUBERNETES_SERVICE_PORT: new URL(server.url).port,
});

describe("a pod's service account", () => {
  it('gives server, CA, token and namespace', async () => {
    const client = new HttpKubernetes(inClusterAccess(environment(), server.folder));
    await client.request({ method: 'GET', path: '/api/v1/nodes' });
    client.close();
    expect(server.asked[0]?.headers.authorization).toBe('Bearer abc');
    expect(client.namespace).toBe('kube-northbound');
  });

  it('writes an IPv6 address as a URL has it', () => {
    const access = inClusterAccess({ ...environment(), KUBERNETES_SERVICE_HOST: 'fd00::1' }, server.folder);
    expect(access.server.host).toMatch(/^\[fd00::1\]:\d+$/);
  });

  it('is missing outside of a cluster', () => {
    expect(() => inClusterAccess({}, server.folder)).toThrow(/^not in a cluster: .* name a kubeconfig/);
    expect(() => inClusterAccess(environment(), '/nowhere')).toThrow(
      /^cannot read the service account's token \/nowhere\/token: ENOENT/,
    );
  });
});

describe('a file that rotates', () => {
  it('is read again after ten seconds, and is the same object while it says the same', () => {
    let now = 0;
    const file = new RotatingFile(server.file('rotating', 'one'), 'the token', () => now);
    const first = file.read();
    server.file('rotating', 'two');
    now = 9_999;
    expect(file.read()).toBe(first);
    now = 10_000;
    expect(file.read().toString()).toBe('two');
    const second = file.read();
    now = 20_000;
    expect(file.read()).toBe(second);
  });
});
