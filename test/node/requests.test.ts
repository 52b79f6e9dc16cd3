import { channel } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { CniError } from '../../src/contracts/cni.ts';
import type { NodeEvent } from '../../src/node/diagnostics.ts';
import { installFlows, NEVER_GONE, request, setup } from './attach-setup.ts';
import { podBinding } from './southbound-rows.ts';

const STATUS = { command: 'STATUS', cniVersion: '1.1.0', network: 'test' } as const;
const GC = { command: 'GC', cniVersion: '1.1.0', network: 'test', attachments: [] } as const;

describe('requests', () => {
  it('are told whether ADDs can be served', async () => {
    expect(await setup().requests.handle(STATUS, NEVER_GONE)).toEqual({ result: null });
    const { requests } = setup({ problem: new CniError(50, 'not now', 'why') });
    expect(await requests.handle(STATUS, NEVER_GONE)).toEqual({
      error: { code: 50, msg: 'not now', details: 'why' },
    });
  });

  it('ADD is served whatever STATUS says', async () => {
    const { ovs, southbound, add } = setup({ problem: new CniError(50, 'not now') });
    podBinding(southbound);
    installFlows(ovs);
    expect(await add('one')).toHaveProperty('result');
  });

  it('CHECK and GC are carried out', async () => {
    const { ovs, southbound, kernel, requests, add, sandboxes } = setup();
    podBinding(southbound);
    installFlows(ovs);
    await add('one');
    const { pod: _, ...attachment } = request('one');
    const check = { ...attachment, command: 'CHECK', prevResult: {} } as const;
    expect(await requests.handle(check, NEVER_GONE)).toMatchObject({ error: { code: 7 } });
    expect(await requests.handle(GC, NEVER_GONE)).toEqual({ result: null });
    expect([sandboxes(), [...kernel.links]]).toEqual([[], []]);
  });

  it('are told of on the diagnostics channel', async () => {
    const events: NodeEvent[] = [];
    const listener = (event: unknown) => events.push(event as NodeEvent);
    channel('kube-northbound:node').subscribe(listener);
    const { ovs, southbound, requests, add } = setup({ problem: new CniError(50, 'not now') });
    podBinding(southbound);
    installFlows(ovs);
    await add('one');
    await requests.handle(STATUS, NEVER_GONE);
    channel('kube-northbound:node').unsubscribe(listener);
    const seconds = expect.any(Number);
    expect(events).toEqual([
      { kind: 'cni-began', command: 'ADD' },
      { kind: 'programmed', stage: 'southbound', seconds },
      { kind: 'programmed', stage: 'chassis', seconds },
      { kind: 'cni-ended', command: 'ADD', result: 'ok', seconds },
      { kind: 'cni-began', command: 'STATUS' },
      { kind: 'cni-ended', command: 'STATUS', result: '50', seconds },
    ]);
  });
});
