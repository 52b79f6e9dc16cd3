import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type KubernetesClient, openKubernetes } from '../../src/cluster/api/index.ts';
import { controlPlane, describeWithControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { Following } from '../support/following.ts';
import { ScriptedApiServer } from '../support/scripted-api-server.ts';
import { SwitchedApi } from '../support/switched-api.ts';

const TIMEOUT = 120_000;

/** ConfigMaps of one namespace: nothing else makes or changes them. */
class Maps {
  readonly #client: KubernetesClient;
  readonly #path: string;
  readonly resource;

  constructor(client: KubernetesClient, namespace: string) {
    this.#client = client;
    this.#path = `/api/v1/namespaces/${namespace}/configmaps`;
    this.resource = { apiVersion: 'v1', kind: 'ConfigMap', path: this.#path };
  }

  create = (name: string, data = 'x') =>
    this.#client.request({ method: 'POST', path: this.#path, body: { metadata: { name }, data: { data } } });

  change = (name: string, data: string) =>
    this.#client.request({
      method: 'PUT',
      path: `${this.#path}/${name}`,
      body: { metadata: { name }, data: { data } },
    });

  delete = (name: string) => this.#client.request({ method: 'DELETE', path: `${this.#path}/${name}` });
}

describeWithControlPlane('a reflector on a real API server', () => {
  let plane: TestControlPlane;
  let client: KubernetesClient;
  const following: Following[] = [];
  let namespaces = 0;

  beforeAll(async () => {
    plane = await controlPlane();
    client = openKubernetes({ kubeconfig: plane.kubeconfig });
  }, TIMEOUT);

  afterEach(async () => {
    for (const one of following.splice(0)) await one.stop();
  });

  afterAll(async () => {
    client?.close();
    await plane?.stop();
  }, TIMEOUT);

  /** A namespace with these ConfigMaps, a reflector that follows them, and the switch between the two. */
  async function followMaps(...names: readonly string[]) {
    const name = `maps-${namespaces++}`;
    await client.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
    const maps = new Maps(client, name);
    for (const one of names) await maps.create(one);
    const api = new SwitchedApi(client);
    const one = new Following(api, maps.resource);
    following.push(one);
    await one.toldUntil('listed');
    await one.until(() => api.watches.length === 1, 'the watch');
    const told = async (last: string) =>
      (await one.toldUntil(last.replace(/^[+-]/, sign => `${sign}${name}/`))).map(line =>
        line.replace(`${name}/`, ''),
      );
    return { maps, api, one, told, namespace: name };
  }

  it('tells the same as on the scripted one', async () => {
    const scripted = await ScriptedApiServer.listen();
    const onScripted = await scenario(scripted.client(), 'default', following);
    const onReal = await scenario(client, 'default', following);
    for (const one of following.splice(0)) await one.stop();
    await scripted.close();
    expect(onReal).toEqual(onScripted);
    expect(onReal.all).toEqual(['+a', '+b', 'listed', '+a', '-b', '+b', '+c', '-c', '-a', '-b']);
  });

  it(
    'lists thousands of objects page by page',
    async () => {
      const { maps, api, one } = await followMaps();
      const names = Array.from({ length: 2300 }, (_, index) => `map-${index}`);
      await inParallel(names, name => maps.create(name));
      await one.until(() => one.told.length === names.length, 'all objects');
      const later = new Following(api, maps.resource);
      following.push(later);
      expect(await later.toldUntil('listed')).toHaveLength(names.length + 1);
      expect(api.lists.length).toBe(1 + 5);
      expect([...one.told].sort()).toEqual(
        later.objects.map(({ namespace, name }) => `+${namespace}/${name}`).sort(),
      );
    },
    TIMEOUT,
  );

  it('loses nothing while it is cut off, and needs no list', async () => {
    const { maps, api, told } = await followMaps('a', 'b');
    api.disconnect();
    await maps.change('a', 'y');
    await maps.delete('b');
    await maps.create('c');
    api.reconnect();
    expect(await told('+c')).toEqual(['+a', '-b', '+c']);
    expect(api.lists).toHaveLength(1);
  });

  it(
    'goes on after the API server was killed, and after it was stopped in order',
    async () => {
      const { maps, one, namespace } = await followMaps('a', 'killed', 'in-order');
      for (const how of ['killed', 'in order'] as const) {
        const name = how.replace(' ', '-');
        one.told.length = 0;
        await plane.stopApiServer(how);
        await plane.startApiServer();
        await maps.change('a', how);
        await maps.delete(name);
        await maps.create(`after-${name}`);
        // A new API server knows no versions from before its start: as a rule there is a list in between.
        const expected = [`+${namespace}/a`, `+${namespace}/after-${name}`, `-${namespace}/${name}`];
        await one.until(() => expected.every(line => one.told.includes(line)), how);
        expect(one.told.filter(line => line !== 'listed').sort()).toEqual(expected);
      }
    },
    TIMEOUT,
  );

  it(
    'tells the difference where etcd has forgotten what was in between',
    async () => {
      const { maps, api, one, told } = await followMaps('a', 'b', 'c');
      api.disconnect();
      await maps.change('a', 'y');
      await maps.delete('b');
      await maps.create('d');
      await plane.compact();
      // The watch cache of this process still knows; that of the next one does not.
      await plane.stopApiServer();
      await plane.startApiServer();
      api.reconnect();
      expect([...(await told('listed'))].sort()).toEqual(['+a', '+d', '-b', 'listed']);
      expect(one.published).toContain('expired');
      await maps.delete('c');
      expect(await told('-c')).toEqual(['-c']);
    },
    TIMEOUT,
  );

  it(
    'takes a server that has stopped without a word for dead, and goes on when it wakes',
    async () => {
      const { maps, one, told } = await followMaps('a');
      plane.signal('kube-apiserver', 'SIGSTOP');
      one.clock.advance(150_000);
      await one.until(() => one.published.includes('silent'), 'the end of the silent watch');
      plane.signal('kube-apiserver', 'SIGCONT');
      await maps.change('a', 'y');
      expect(await told('+a')).toEqual(['+a']);
    },
    TIMEOUT,
  );

  describe('refusals', () => {
    const list = { method: 'GET', path: '/api/v1/pods' } as const;

    it('name what RBAC lacks', async () => {
      const kubeconfig = await plane.kubeconfigForUser({ name: 'ada', groups: ['nobodies'] });
      const ada = openKubernetes({ kubeconfig });
      await expect(ada.request(list)).rejects.toThrow(
        /must not list pods: RBAC lacks a rule with apiGroups \[""], resources \["pods"], verbs \["list"] for the whole cluster \(the server says: pods is forbidden: User "ada" cannot list/,
      );
      await expect(ada.stream({ ...list, query: { watch: 'true' } })).rejects.toThrow(/must not watch pods/);
      ada.close();
    });

    it('say that a conflict is one', async () => {
      const body = { metadata: { name: 'default' } };
      const again = client.request({ method: 'POST', path: '/api/v1/namespaces', body });
      await expect(again).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists' });
    });

    it('tell 410 for a version that is too old, as an error of the watch or of the request', async () => {
      await plane.compact();
      const one = new Following(new SwitchedApi(client), {
        apiVersion: 'v1',
        kind: 'Pod',
        path: '/api/v1/pods',
      });
      following.push(one);
      await one.toldUntil('listed');
      const expired = client.request({
        ...list,
        query: { limit: '1', resourceVersion: '1', resourceVersionMatch: 'Exact' },
      });
      await expect(expired).rejects.toMatchObject({ status: 410, reason: 'Expired' });
    });
  });
});

/** What one and the same story makes a reflector tell: one of everything, one of the ConfigMap `a` only. */
async function scenario(client: KubernetesClient, namespace: string, following: Following[]) {
  const maps = new Maps(client, namespace);
  await maps.create('a');
  await maps.create('b');
  const all = new Following(client, maps.resource);
  const onlyA = new Following(client, { ...maps.resource, fieldSelector: 'metadata.name=a' });
  following.push(all, onlyA);
  await all.until(() => all.told.includes('listed'));
  await onlyA.until(() => onlyA.told.includes('listed'));
  await maps.change('a', 'y');
  await maps.delete('b');
  await maps.create('b');
  await maps.create('c');
  await maps.delete('c');
  await maps.delete('a');
  await maps.delete('b');
  await all.until(() => all.told.at(-1)?.startsWith('-') === true && all.told.length === 10, 'the end');
  await onlyA.until(() => onlyA.told.at(-1)?.startsWith('-') === true, 'the end of a');
  const bare = (one: Following) => one.told.map(line => line.replace(`${namespace}/`, ''));
  const shapes = all.objects.map(({ raw }) => Object.keys(raw).sort());
  return { all: bare(all), onlyA: bare(onlyA), shapes };
}

/** So many at a time as the client has connections. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const lane = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 32 }, lane));
}
