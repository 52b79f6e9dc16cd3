import { afterEach, beforeEach } from '@jest/globals';
import type { KubernetesApi } from '../../../src/cluster/api/index.ts';
import type { WatchedResource } from '../../../src/cluster/watch/index.ts';
import { Following } from '../../support/following.ts';
import { ScriptedApiServer } from '../../support/scripted-api-server.ts';

/** A scripted API server for each test of a file, with pods of the namespace `shop`, and reflectors that follow them. */
export function usePodServer() {
  let server: ScriptedApiServer;
  const following: Following[] = [];

  beforeEach(async () => {
    server = await ScriptedApiServer.listen();
  });

  afterEach(async () => {
    for (const one of following.splice(0)) await one.stop();
    await server.close();
  });

  const pod = (name: string, node = 'a') =>
    [{ name, namespace: 'shop' }, { spec: { nodeName: node } }] as const;

  return {
    get server() {
      return server;
    },
    putPod: (name: string, node?: string) => server.put('pods', ...pod(name, node)),
    deletePod: (name: string) => server.delete('pods', pod(name)[0]),

    /** A reflector of pods, or of something else; it stops after the test. */
    follow(
      resource?: WatchedResource,
      random?: () => number,
      api: KubernetesApi = server.client(),
    ): Following {
      const one = new Following(api, resource, random);
      following.push(one);
      return one;
    },

    /** Waits until so many watches have begun since the start, and the last of them is open. */
    watches(one: Following, count: number): Promise<void> {
      return one.until(
        () => server.watchers.size === 1 && server.asked('watch').length === count,
        `watch number ${count}`,
      );
    },

    /** Follows the pods `web-0` and `web-1`; the watch is open. */
    async followTwo(): Promise<Following> {
      this.putPod('web-0');
      this.putPod('web-1');
      const one = this.follow();
      await one.toldUntil('listed');
      await this.watches(one, 1);
      return one;
    },

    /** The reflector of the test has ended by itself. */
    forget: () => following.splice(0),
  };
}
