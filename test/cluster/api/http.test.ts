import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { ApiRequest } from '../../../src/cluster/api/index.ts';
import { type KubernetesClient, openKubernetes } from '../../../src/cluster/api/index.ts';
import { poll } from '../../support/poll.ts';
import { type Answer, ScriptedHttpServer, sendJson, sendStatus } from '../../support/scripted-http-server.ts';

let server: ScriptedHttpServer;
let client: KubernetesClient;

afterEach(async () => {
  client.close();
  await server.close();
});

async function clientOf(answer: Answer): Promise<KubernetesClient> {
  server = await ScriptedHttpServer.listen(answer);
  client = openKubernetes({ kubeconfig: server.kubeconfig({ token: 'x' }) });
  return client;
}

const PODS: ApiRequest = { method: 'GET', path: '/api/v1/pods' };
const watchPods: ApiRequest = { ...PODS, query: { watch: 'true' } };

const forbidden =
  (what: string): Answer =>
  (_, response) =>
    sendStatus(response, 403, 'Forbidden', `${what} is forbidden: User "u" cannot list resource "${what}"`);

describe('a refused request', () => {
  it('carries status, reason and the wait that the server asks for', async () => {
    const api = await clientOf((_, response) =>
      sendStatus(response, 429, 'TooManyRequests', 'too many requests, try later', { 'retry-after': '7' }),
    );
    await expect(api.request(PODS)).rejects.toMatchObject({
      name: 'ApiError',
      status: 429,
      reason: 'TooManyRequests',
      retryAfter: 7000,
      message: 'cannot list pods: too many requests, try later',
    });
  });

  it('takes the wait from the details of the Status, too', async () => {
    const api = await clientOf((_, response) =>
      sendJson(response, { kind: 'Status', reason: 'ServerTimeout', details: { retryAfterSeconds: 2 } }, 500),
    );
    await expect(api.request(PODS)).rejects.toMatchObject({ reason: 'ServerTimeout', retryAfter: 2000 });
  });

  it('says what credentials are wrong', async () => {
    const api = await clientOf((_, response) => sendStatus(response, 401, 'Unauthorized', 'Unauthorized'));
    await expect(api.request(PODS)).rejects.toThrow(
      `${server.url} does not accept the credentials of user "tester" of ${server.folder}/kubeconfig (401 Unauthorized): they are wrong or have expired`,
    );
  });

  it.each<[ApiRequest, string]>([
    [
      PODS,
      'list pods: RBAC lacks a rule with apiGroups [""], resources ["pods"], verbs ["list"] for the whole cluster',
    ],
    [
      watchPods,
      'watch pods: RBAC lacks a rule with apiGroups [""], resources ["pods"], verbs ["watch"] for the whole cluster',
    ],
    [
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/shop/pods/web-0/status',
        contentType: 'application/merge-patch+json',
      },
      'patch pods/status web-0 in namespace shop: RBAC lacks a rule with apiGroups [""], resources ["pods/status"], verbs ["patch"] in namespace shop',
    ],
    [
      { method: 'PUT', path: '/apis/coordination.k8s.io/v1/namespaces/kube-northbound/leases/a' },
      'update leases a in namespace kube-northbound: RBAC lacks a rule with apiGroups ["coordination.k8s.io"], resources ["leases"], verbs ["update"] in namespace kube-northbound',
    ],
    [
      { method: 'GET', path: '/api/v1/namespaces/shop' },
      'get namespaces shop: RBAC lacks a rule with apiGroups [""], resources ["namespaces"], verbs ["get"] for the whole cluster',
    ],
    [
      { method: 'POST', path: '/apis/events.k8s.io/v1/namespaces/shop/events', body: {} },
      'create events in namespace shop: RBAC lacks a rule with apiGroups ["events.k8s.io"], resources ["events"], verbs ["create"] in namespace shop',
    ],
  ])('says what RBAC lacks: %j', async (request, sentence) => {
    const api = await clientOf(forbidden('things'));
    await expect(api.request(request)).rejects.toThrow(
      `user "tester" of ${server.folder}/kubeconfig must not ${sentence} (the server says: things is forbidden`,
    );
  });

  it('does not blame RBAC for what admission refuses', async () => {
    const api = await clientOf((_, response) =>
      sendStatus(response, 403, 'Forbidden', 'node "a" cannot update labels of others'),
    );
    await expect(api.request({ method: 'PATCH', path: '/api/v1/nodes/b' })).rejects.toThrow(
      /^cannot patch nodes b: node "a" cannot update labels of others$/,
    );
  });

  it('takes a page of a proxy for what it is', async () => {
    const api = await clientOf((_, response) => response.writeHead(200).end('<html>'));
    await expect(api.request(PODS)).rejects.toThrow(
      /answers GET \/api\/v1\/pods with something that is no JSON object: is it a Kubernetes API server\?/,
    );
  });
});

describe('a request without an end', () => {
  it('fails after its time', async () => {
    const api = await clientOf(() => {});
    await expect(api.request({ ...PODS, timeout: 50 })).rejects.toMatchObject({
      status: 0,
      reason: 'Timeout',
    });
  });

  it('fails after its time where the answer goes on and on', async () => {
    const api = await clientOf((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write(' '), 5);
      response.on('close', () => clearInterval(timer));
    });
    await expect(api.request({ ...PODS, timeout: 80 })).rejects.toMatchObject({ reason: 'Timeout' });
  });

  it('ends by its signal, with the reason of that, and its connection with it', async () => {
    const api = await clientOf(() => {});
    const reason = new Error('enough');
    const controller = new AbortController();
    const request = api.request({ ...PODS, signal: controller.signal });
    await poll(
      () => server.asked.length === 1,
      () => 'the request',
    );
    controller.abort(reason);
    await expect(request).rejects.toBe(reason);
    await expect(api.request({ ...PODS, signal: controller.signal })).rejects.toBe(reason);
    expect(server.asked).toHaveLength(1);
    await poll(
      () => server.sockets[0]?.destroyed ?? false,
      () => 'the end of the connection',
    );
  });

  it('fails where the connection breaks off in the middle of the answer', async () => {
    const api = await clientOf((_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"a":', () => server.cut());
    });
    await expect(api.request(PODS)).rejects.toMatchObject({ name: 'ApiError', status: 0 });
  });
});

describe('a stream', () => {
  const text = async (chunks: AsyncIterable<Uint8Array>): Promise<string> => {
    let all = '';
    for await (const chunk of chunks) all += Buffer.from(chunk).toString();
    return all;
  };

  it('gives the bytes as they come, and is not bound by the time of requests', async () => {
    const api = await clientOf((_, response) => {
      response.writeHead(200);
      response.write('one ');
      setTimeout(() => response.end('two'), 120);
    });
    expect(await text(await api.stream({ ...watchPods, timeout: 60 }))).toBe('one two');
  });

  it('must begin in time', async () => {
    const api = await clientOf(() => {});
    await expect(api.stream({ ...watchPods, timeout: 50 })).rejects.toMatchObject({ reason: 'Timeout' });
  });

  it('is refused as a request is', async () => {
    const api = await clientOf((_, response) =>
      sendStatus(response, 410, 'Expired', 'too old resource version'),
    );
    await expect(api.stream(watchPods)).rejects.toMatchObject({ status: 410, reason: 'Expired' });
  });

  it('throws where the connection breaks', async () => {
    const api = await clientOf((_, response) => {
      response.writeHead(200);
      response.write('one', () => server.cut());
    });
    await expect(text(await api.stream(watchPods))).rejects.toMatchObject({ name: 'ApiError', status: 0 });
  });

  it('throws the reason of its signal, and closes the connection', async () => {
    const api = await clientOf((_, response) => {
      response.writeHead(200);
      response.write('one');
    });
    const controller = new AbortController();
    const reason = new Error('enough');
    const reading = text(await api.stream({ ...watchPods, signal: controller.signal }));
    controller.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await poll(
      () => server.sockets[0]?.destroyed ?? false,
      () => 'the end of the connection',
    );
  });

  it('closes the connection when nobody reads on', async () => {
    const api = await clientOf((_, response) => {
      response.writeHead(200);
      response.write('one');
    });
    for await (const _ of await api.stream(watchPods)) break;
    await poll(
      () => server.sockets[0]?.destroyed ?? false,
      () => 'the end of the connection',
    );
  });

  it('leaves nothing behind at its signal, as a request does not', async () => {
    const api = await clientOf((asked, response) => {
      if (asked.query.get('watch') === null) sendStatus(response, 500, 'InternalError', 'no');
      else response.writeHead(200).end('one');
    });
    const { signal } = new AbortController();
    expect(await text(await api.stream({ ...watchPods, signal }))).toBe('one');
    await expect(api.request({ ...PODS, signal })).rejects.toThrow('no');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('takes no connection away from requests', async () => {
    const api = await clientOf((asked, response) => {
      if (asked.query.get('watch') === null) sendJson(response, {});
      else response.writeHead(200).write(' ');
    });
    for (let count = 0; count < 40; count++) await api.stream(watchPods);
    await api.request(PODS);
    expect(server.asked).toHaveLength(41);
  });
});
