import { describe, expect, it } from '@jest/globals';
import { objectAt } from '../../src/cluster/facts/raw.ts';
import { parseConfig } from '../../src/config/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelApi } from '../support/model-api.ts';
import { ModelMaster, shownIps, shownNetwork } from '../support/model-cluster.ts';

const NODE = '/api/v1/nodes/a';
const POD = '/api/v1/namespaces/ns/pods/web';
const POD_NETWORKS = 'k8s.ovn.org/pod-networks';
const config = parseConfig(
  'clusterSubnets: [{cidr: 10.0.0.0/24, hostPrefix: 29}]\njoinSubnets: [100.64.0.0/16]\n',
  'test',
);

class World {
  readonly api = new ModelApi();
  readonly clock = new FakeClock();
  master: ModelMaster;

  constructor() {
    this.api.put(NODE, { metadata: { name: 'a', uid: 'node' } });
    this.master = this.lead();
  }

  lead(): ModelMaster {
    const master = new ModelMaster(this.api, this.clock, config);
    this.api.onChange = path => master.changed(path);
    this.master = master;
    return master;
  }

  pod(uid: string, annotations: Readonly<Record<string, string>> = {}): void {
    this.api.put(POD, { metadata: { name: 'web', uid, annotations }, spec: { nodeName: 'a' } });
  }

  async pass(ms = 0): Promise<void> {
    this.clock.advance(ms);
    for (let turn = 0; turn < 15; turn++) {
      await Promise.resolve();
      this.clock.advance(0);
    }
  }

  async look(ms = 0): Promise<void> {
    this.master.look();
    await this.pass(ms);
  }

  patches(): readonly string[] {
    return this.api.requests
      .splice(0)
      .filter(({ method }) => method === 'PATCH')
      .map(({ path }) => path);
  }

  shown(): unknown {
    return shownIps(this.api.objects.get(POD) ?? {});
  }
}

describe('writing back', () => {
  it('writes each object once, and nothing once it shows what it is to show', async () => {
    const world = new World();
    world.pod('1');
    await world.look();
    expect(world.patches()).toEqual([`${NODE}/status`, `${POD}/status`]);
    await world.look();
    await world.look(600_000);
    expect(world.patches()).toEqual([]);
    expect(world.shown()).toEqual(['10.0.0.3']);
    expect(shownNetwork(world.api.objects.get(NODE) ?? {}, 'node-subnets')).toEqual(['10.0.0.0/29']);
  });

  it('writes over nothing that came into the annotation meanwhile', async () => {
    const world = new World();
    world.pod('1');
    // Unseen by the master, who is about to write.
    world.master.look();
    world.pod('1', { [POD_NETWORKS]: '{"blue":{"mine":true}}' });
    await world.pass();
    expect(world.shown()).toEqual([]);
    await world.look(300);
    const text = objectAt(world.api.objects.get(POD) ?? {}, 'metadata', 'annotations')[POD_NETWORKS];
    expect(JSON.parse(String(text))).toMatchObject({
      default: { ip_addresses: ['10.0.0.3/29'] },
      blue: { mine: true },
    });
  });

  it('writes nothing to a successor of the same name that it has not seen, and then to that one', async () => {
    const world = new World();
    await world.pass();
    world.pod('1');
    world.master.look();
    world.api.delete(POD);
    world.pod('2');
    await world.pass();
    expect(world.shown()).toEqual([]);
    await world.look();
    expect(world.shown()).toEqual(['10.0.0.3']);
  });

  it('drops what it would have written to a pod that has come and gone', async () => {
    const world = new World();
    await world.pass();
    world.patches();
    world.pod('1');
    world.master.look();
    world.api.delete(POD);
    world.master.look();
    await world.pass(600_000);
    expect(world.patches()).toEqual([]);
  });

  it('leaves everything to the next leader once it does not lead', async () => {
    const world = new World();
    world.pod('1');
    const first = world.master;
    first.look();
    first.kill();
    await world.pass(600_000);
    expect(world.patches()).toEqual([]);
    world.lead();
    await world.pass();
    expect(world.shown()).toEqual(['10.0.0.3']);
  });

  it('tells what is wrong after a moment, and not what is over by then', async () => {
    const world = new World();
    const events = () =>
      [...world.api.objects.values()].flatMap(({ reason, note }) =>
        reason ? [`${String(reason)}: ${String(note)}`] : [],
      );
    world.pod('1');
    world.api.delete(NODE);
    await world.look(500);
    world.api.put(NODE, { metadata: { name: 'a', uid: 'node' } });
    await world.look(600);
    await world.look(1_100);
    expect(events()).toEqual([]);
    world.api.delete(NODE);
    await world.look(1_100);
    await world.pass();
    expect(events()).toEqual(['NodeUnknown: node a does not exist']);
  });

  it('tells of an edited annotation, though it is put right at once; and counts the next time', async () => {
    const world = new World();
    const events = () =>
      [...world.api.objects.values()].flatMap(({ reason, series }) => (reason ? [[reason, series]] : []));
    const edit = async () => {
      world.pod('1', { [POD_NETWORKS]: '{' });
      await world.look();
      await world.look(1_100);
      await world.look(1_100);
      expect(world.shown()).toEqual(['10.0.0.3']);
    };
    world.pod('1');
    await world.look();
    await edit();
    expect(events()).toEqual([['Malformed', undefined]]);
    await edit();
    expect(events()).toEqual([['Malformed', expect.objectContaining({ count: 2 })]]);
  });
});
