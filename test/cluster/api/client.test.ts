import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type KubernetesClient, openKubernetes } from '../../../src/cluster/api/index.ts';
import {
  type Answer,
  pki,
  ScriptedHttpServer,
  sendJson,
  sendStatus,
} from '../../support/scripted-http-server.ts';

const servers: ScriptedHttpServer[] = [];
const clients: KubernetesClient[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  for (const server of servers.splice(0)) await server.close();
});

const yes: Answer = (_, response) => sendJson(response, { kind: 'PodList', items: [] });

async function listen(answer: Answer, options?: { tls: boolean }): Promise<ScriptedHttpServer> {
  const server = await ScriptedHttpServer.listen(answer, options);
  servers.push(server);
  return server;
}

function open(kubeconfig: string): KubernetesClient {
  const client = openKubernetes({ kubeconfig });
  clients.push(client);
  return client;
}

const PODS = { method: 'GET', path: '/api/v1/pods' } as const;

describe('a client by kubeconfig', () => {
  it('asks with the query, and gives the body as it is', async () => {
    const server = await listen(yes);
    const client = open(server.kubeconfig());
    const body = await client.request({
      ...PODS,
      query: { limit: '500', fieldSelector: 'spec.nodeName=a b' },
    });
    expect(body).toEqual({ kind: 'PodList', items: [] });
    const [asked] = server.asked;
    expect(asked?.path).toBe('/api/v1/pods');
    expect(asked?.query.get('fieldSelector')).toBe('spec.nodeName=a b');
    expect(client.namespace).toBe('tests');
    expect(client.server).toBe(server.url);
  });

  it('sends a body in the form that was asked for', async () => {
    const server = await listen(yes);
    await open(server.kubeconfig()).request({
      method: 'PATCH',
      path: '/api/v1/nodes/a',
      body: { metadata: { annotations: { grüße: '…' } } },
      contentType: 'application/merge-patch+json',
    });
    expect(server.asked[0]?.headers['content-type']).toBe('application/merge-patch+json');
    expect(JSON.parse(server.asked[0]?.body ?? '')).toEqual({ metadata: { annotations: { grüße: '…' } } });
  });

  it('puts the path after that of the server', async () => {
    const server = await listen(yes);
    await open(server.kubeconfig({}, { server: `${server.url}/k8s/clusters/c-1/` })).request(PODS);
    expect(server.asked[0]?.path).toBe('/k8s/clusters/c-1/api/v1/pods');
  });

  it('keeps its connection', async () => {
    const server = await listen(yes);
    const client = open(server.kubeconfig());
    await client.request(PODS);
    await client.request(PODS);
    expect(server.sockets).toHaveLength(1);
  });

  it.each([
    ['a token', { token: 'abc' }, { authorization: 'Bearer abc' }],
    [
      'a name and a password',
      { username: 'ada', password: 'x:y' },
      { authorization: `Basic ${Buffer.from('ada:x:y').toString('base64')}` },
    ],
    ['another user in our name', { token: 'abc', as: 'bob' }, { 'impersonate-user': 'bob' }],
  ])('shows %s', async (_, user, headers) => {
    const server = await listen(yes);
    await open(server.kubeconfig(user)).request(PODS);
    expect(server.asked[0]?.headers).toMatchObject(headers);
  });

  it('reads a token file again once the server does not know the token', async () => {
    const server = await listen((asked, response) => {
      if (asked.headers.authorization === 'Bearer new') yes(asked, response);
      else sendStatus(response, 401, 'Unauthorized', 'Unauthorized');
    });
    const file = server.file('token', 'old\n');
    const client = open(server.kubeconfig({ tokenFile: 'token' }));
    await expect(client.request(PODS)).rejects.toMatchObject({ status: 401 });
    writeFileSync(file, 'new\n');
    await expect(client.request(PODS)).resolves.toBeDefined();
  });

  it('runs an exec plugin once, tells it the version, and again after a 401', async () => {
    const server = await listen((asked, response) => {
      if (asked.headers.authorization === 'Bearer turn-1' && server.asked.length > 2)
        sendStatus(response, 401, 'Unauthorized', 'Unauthorized');
      else yes(asked, response);
    });
    const runs = join(server.folder, 'runs');
    const script = `const fs = require('node:fs');
      const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
      fs.appendFileSync(process.argv[1], 'x');
      const token = 'turn-' + fs.readFileSync(process.argv[1], 'utf8').length;
      console.log(JSON.stringify({ apiVersion: info.apiVersion, kind: info.kind, status: { token } }));`;
    const client = open(
      server.kubeconfig({
        exec: {
          apiVersion: 'client.authentication.k8s.io/v1',
          command: process.execPath,
          args: ['-e', script, runs],
        },
      }),
    );
    await Promise.all([client.request(PODS), client.request(PODS)]);
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer turn-1',
      'Bearer turn-1',
    ]);
    await expect(client.request(PODS)).rejects.toMatchObject({ status: 401 });
    await client.request(PODS);
    expect(server.asked.at(-1)?.headers.authorization).toBe('Bearer turn-2');
    expect(readFileSync(runs, 'utf8')).toBe('xx');
  });

  it('says which exec plugin failed, and why', async () => {
    const server = await listen(yes);
    const exec = { command: process.execPath, args: ['-e', 'console.error("no login"); process.exit(1)'] };
    await expect(open(server.kubeconfig({ exec })).request(PODS)).rejects.toThrow(
      /user "tester": the exec plugin .* failed: no login$/,
    );
  });
});

describe('over TLS', () => {
  const ca = { 'certificate-authority': pki('ca.crt') };

  it('knows the server by its CA, and shows a certificate', async () => {
    const server = await listen(yes, { tls: true });
    const data = (name: string) => readFileSync(pki(name)).toString('base64');
    await open(
      server.kubeconfig(
        { 'client-certificate-data': data('client.crt'), 'client-key-data': data('client.key') },
        { 'certificate-authority-data': data('ca.crt') },
      ),
    ).request(PODS);
    const [socket] = server.sockets as TLSSocket[];
    expect(socket?.authorized).toBe(true);
    expect(socket?.getPeerCertificate().subject.CN).toBe('test client');
  });

  it('shows another certificate once the file has another, on a new connection', async () => {
    const server = await listen((_, response) => sendStatus(response, 401, 'Unauthorized', 'Unauthorized'), {
      tls: true,
    });
    server.file('cert', readFileSync(pki('client.crt'), 'utf8'));
    server.file('key', readFileSync(pki('client.key'), 'utf8'));
    const client = open(server.kubeconfig({ 'client-certificate': 'cert', 'client-key': 'key' }, ca));
    await expect(client.request(PODS)).rejects.toMatchObject({ status: 401 });
    server.file('cert', readFileSync(pki('server.crt'), 'utf8'));
    server.file('key', readFileSync(pki('server.key'), 'utf8'));
    await expect(client.request(PODS)).rejects.toMatchObject({ status: 401 });
    const names = (server.sockets as TLSSocket[]).map(socket => socket.getPeerCertificate().subject.CN);
    expect(names).toEqual(['test client', 'test server']);
  });

  it('does not talk to a server that another CA signed', async () => {
    const server = await listen(yes, { tls: true });
    const client = open(server.kubeconfig({ token: 'x' }, { 'certificate-authority': pki('other-ca.crt') }));
    await expect(client.request(PODS)).rejects.toMatchObject({
      status: 0,
      message: expect.stringContaining(
        `the certificate of ${server.url} is not signed by the CA that we were given`,
      ),
    });
    expect(server.asked).toEqual([]);
  });

  it('checks the name, or the one that tls-server-name says', async () => {
    const server = await listen(yes, { tls: true });
    const right = open(server.kubeconfig({}, { ...ca, 'tls-server-name': 'localhost' }));
    await right.request(PODS);
    const wrong = open(server.kubeconfig({}, { ...ca, 'tls-server-name': 'elsewhere' }));
    await expect(wrong.request(PODS)).rejects.toThrow(/is for other names/);
  });
});

describe('a kubeconfig that cannot be used', () => {
  const write = async (text: string) => (await listen(yes)).file('config', text);
  const config = (parts: object) =>
    JSON.stringify({
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
      clusters: [{ name: 'k', cluster: { server: 'https://127.0.0.1:6443' } }],
      users: [{ name: 'u', user: {} }],
      ...parts,
    });

  it('is refused where the file is missing', () => {
    expect(() => openKubernetes({ kubeconfig: '/nowhere/config' })).toThrow(
      /^cannot read the kubeconfig \/nowhere\/config: ENOENT/,
    );
  });

  it.each([
    ['no YAML', '{', /is no YAML/],
    ['nothing', '', /is empty or no mapping/],
    [
      'no current context',
      config({ 'current-context': '' }),
      /has no current-context: set one with "kubectl/,
    ],
    ['an unknown context', config({ 'current-context': 'x' }), /there is no context "x" in it/],
    ['an unknown cluster', config({ clusters: [] }), /there is no cluster "k" in it/],
    ['an unknown user', config({ users: [] }), /there is no user "u" in it/],
    [
      'a cluster without a server',
      config({ clusters: [{ name: 'k', cluster: {} }] }),
      /clusters\[0].cluster.server/,
    ],
    [
      'a server that is no URL',
      config({ clusters: [{ name: 'k', cluster: { server: 'here:6443' } }] }),
      /the server of cluster "k" is "here:6443", which is no http\(s\) URL/,
    ],
    [
      'a proxy',
      config({ clusters: [{ name: 'k', cluster: { server: 'https://a', 'proxy-url': 'http://p' } }] }),
      /proxy-url is not supported/,
    ],
    [
      'an auth-provider',
      config({ users: [{ name: 'u', user: { 'auth-provider': { name: 'oidc' } } }] }),
      /auth-provider is not supported, use an exec plugin/,
    ],
    [
      'a CA that is none',
      config({
        clusters: [{ name: 'k', cluster: { server: 'https://a', 'certificate-authority-data': 'eHg=' } }],
      }),
      /its certificate-authority is no PEM/,
    ],
    [
      'a key that is none',
      config({
        users: [
          {
            name: 'u',
            user: {
              'client-certificate-data': readFileSync(pki('client.crt')).toString('base64'),
              'client-key-data': 'eHg=',
            },
          },
        ],
      }),
      /its client-certificate with client-key is no PEM/,
    ],
    [
      'a CA file that is missing',
      config({
        clusters: [{ name: 'k', cluster: { server: 'https://a', 'certificate-authority': 'ca.crt' } }],
      }),
      /cannot read the certificate-authority .*\/ca.crt: ENOENT/,
    ],
  ])('is refused: %s', async (_, text, message) => {
    const kubeconfig = await write(text);
    expect(() => openKubernetes({ kubeconfig })).toThrow(message);
    expect(() => openKubernetes({ kubeconfig })).toThrow(expect.objectContaining({ name: 'AccessError' }));
  });
});

describe('a server that cannot be reached', () => {
  it('is named', async () => {
    const port = await freePort();
    const server = await listen(yes);
    const client = open(server.kubeconfig({}, { server: `http://127.0.0.1:${port}` }));
    await expect(client.request(PODS)).rejects.toMatchObject({
      status: 0,
      message: expect.stringMatching(
        /^cannot reach the Kubernetes API server http:\/\/127.0.0.1:\d+: nothing listens there/,
      ),
    });
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
