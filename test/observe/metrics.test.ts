import { afterEach, describe, expect, it } from '@jest/globals';
import { type Component, Metrics } from '../../src/observe/metrics.ts';
import { masterStatus, publish } from './publish.ts';

let metrics: Metrics | undefined;

function measure(component: Component): Metrics {
  metrics = new Metrics(component, '1.2.3');
  return metrics;
}

afterEach(() => metrics?.close());

/** The samples whose name begins so, without buckets. */
async function samples(name: string): Promise<readonly string[]> {
  const text = (await metrics?.text()) ?? '';
  return text
    .split('\n')
    .filter(line => line.startsWith(`kube_northbound_${name}`) && !line.includes('_bucket{'))
    .map(line => line.slice('kube_northbound_'.length));
}

describe('the metrics of databases', () => {
  const database = 'OVN_Northbound';

  it('count connections that come back, not the first one', async () => {
    measure('node');
    publish.ovsdb({ kind: 'attempt-failed', database, cause: new Error('refused') });
    publish.ovsdb({ kind: 'state', database, state: 'ready' });
    expect(await samples('ovsdb_reconnects')).toEqual([]);
    publish.ovsdb({ kind: 'state', database, state: 'connecting', cause: new Error('closed') });
    expect(await samples('ovsdb_connected')).toEqual(['ovsdb_connected{database="OVN_Northbound"} 0']);
    publish.ovsdb({ kind: 'state', database, state: 'ready' });
    expect(await samples('ovsdb_connected')).toEqual(['ovsdb_connected{database="OVN_Northbound"} 1']);
    expect(await samples('ovsdb_reconnects')).toEqual([
      'ovsdb_reconnects_total{database="OVN_Northbound"} 1',
    ]);
    expect(await samples('ovsdb_failed')).toEqual([
      'ovsdb_failed_attempts_total{database="OVN_Northbound"} 1',
    ]);
  });

  it('measure transactions', async () => {
    measure('node');
    publish.ovsdb({ kind: 'transaction', database, outcome: 'committed', operations: 7, seconds: 0.5 });
    publish.ovsdb({ kind: 'transaction', database, outcome: 'refused', operations: 1, seconds: 0.25 });
    expect(await samples('ovsdb_transaction')).toEqual([
      'ovsdb_transaction_duration_seconds_sum{database="OVN_Northbound",outcome="committed"} 0.5',
      'ovsdb_transaction_duration_seconds_count{database="OVN_Northbound",outcome="committed"} 1',
      'ovsdb_transaction_duration_seconds_sum{database="OVN_Northbound",outcome="refused"} 0.25',
      'ovsdb_transaction_duration_seconds_count{database="OVN_Northbound",outcome="refused"} 1',
      'ovsdb_transaction_operations_sum{database="OVN_Northbound"} 8',
      'ovsdb_transaction_operations_count{database="OVN_Northbound"} 2',
    ]);
  });
});

describe('the metrics of the master', () => {
  it('show its status; what is gone reads 0', async () => {
    measure('master');
    const objects = ['Pod default/a', 'Pod default/b', 'Node n1', 'shop.yaml', 'the first plan'];
    const refused = objects.map(object => ({ object, reason: '' }));
    publish.master({
      kind: 'status',
      status: masterStatus({ generation: 3, pending: 2, rows: { Logical_Switch: 5 }, refused }),
    });
    expect(await samples('refused')).toEqual([
      'refused_objects{kind="Pod"} 2',
      'refused_objects{kind="Node"} 1',
      'refused_objects{kind="other"} 2',
    ]);
    expect(await samples('pending')).toEqual(['pending_pods 2']);
    expect(await samples('in_sync')).toEqual(['in_sync 0']);
    publish.master({
      kind: 'status',
      status: masterStatus({ generation: 5, synced: true, unenforced: ['NetworkPolicy default/p'] }),
    });
    expect(await samples('refused')).toEqual([
      'refused_objects{kind="Pod"} 0',
      'refused_objects{kind="Node"} 0',
      'refused_objects{kind="other"} 0',
    ]);
    expect(await samples('rows')).toEqual(['rows{table="Logical_Switch"} 0']);
    expect(await samples('unenforced')).toEqual(['unenforced_policies{kind="NetworkPolicy"} 1']);
    expect(await samples('in_sync')).toEqual(['in_sync 1']);
    expect(await samples('generations')).toEqual(['generations_total 5']);
  });

  it('measure reconciles and the way of pods', async () => {
    measure('master');
    publish.master({ kind: 'reconciled', objects: 4, seconds: 0.125 });
    publish.master({ kind: 'programmed', stage: 'northbound', seconds: 0.5 });
    publish.master({ kind: 'programmed', stage: 'up', seconds: 2 });
    publish.master({ kind: 'row-queue', depth: 17 });
    expect(await samples('waiting')).toEqual(['waiting_rows 17']);
    expect(await samples('reconcile')).toEqual([
      'reconcile_duration_seconds_sum 0.125',
      'reconcile_duration_seconds_count 1',
      'reconcile_objects_sum 4',
      'reconcile_objects_count 1',
    ]);
    expect(await samples('pod_programming')).toEqual([
      'pod_programming_duration_seconds_sum{stage="northbound"} 0.5',
      'pod_programming_duration_seconds_count{stage="northbound"} 1',
      'pod_programming_duration_seconds_sum{stage="up"} 2',
      'pod_programming_duration_seconds_count{stage="up"} 1',
    ]);
  });

  it('tell who leads and what is written back', async () => {
    measure('master');
    publish.cluster({ kind: 'lease', holds: true, term: 7 });
    publish.cluster({ kind: 'lease-failed', reason: 'no route' });
    publish.cluster({ kind: 'write-queue', depth: 3 });
    publish.cluster({ kind: 'refused', reason: 'AddressesExhausted' });
    publish.cluster({ kind: 'written', resource: 'pods/status', result: 'done' });
    expect(await samples('le')).toEqual(['leader 1', 'lease_transitions 7', 'lease_failures_total 1']);
    expect(await samples('refusals')).toEqual(['refusals_total{reason="AddressesExhausted"} 1']);
    expect(await samples('write')).toEqual([
      'write_queue_depth 3',
      'writes_total{resource="pods/status",result="done"} 1',
    ]);
  });
});

describe('the metrics of the agent', () => {
  it('measure CNI requests and what their pods wait for', async () => {
    measure('node');
    publish.node({ kind: 'cni-began', command: 'ADD' });
    publish.node({ kind: 'cni-began', command: 'ADD' });
    publish.node({ kind: 'programmed', stage: 'southbound', seconds: 1 });
    publish.node({ kind: 'cni-ended', command: 'ADD', result: '11', seconds: 10 });
    expect(await samples('cni')).toEqual([
      'cni_request_duration_seconds_sum{command="ADD",result="11"} 10',
      'cni_request_duration_seconds_count{command="ADD",result="11"} 1',
      'cni_requests_running{command="ADD"} 1',
    ]);
    expect(await samples('pod_attaching')).toEqual([
      'pod_attaching_duration_seconds_sum{stage="southbound"} 1',
      'pod_attaching_duration_seconds_count{stage="southbound"} 1',
    ]);
  });

  it('measure requests to the API server and watches', async () => {
    measure('node');
    publish.cluster({ kind: 'request', method: 'GET', resource: 'pods', code: 200, seconds: 0.5 });
    publish.cluster({ kind: 'listed', resource: 'pods', objects: 12 });
    publish.cluster({ kind: 'watch-event', resource: 'pods', type: 'ADDED' });
    publish.cluster({ kind: 'watch-ended', resource: 'pods', reason: 'expired' });
    publish.cluster({ kind: 'listed', resource: 'pods', objects: 13 });
    expect(await samples('api')).toEqual([
      'api_request_duration_seconds_sum{method="GET",resource="pods",code="200"} 0.5',
      'api_request_duration_seconds_count{method="GET",resource="pods",code="200"} 1',
    ]);
    expect(await samples('watch')).toEqual([
      'watch_lists_total{resource="pods"} 2',
      'watch_listed_objects{resource="pods"} 13',
      'watch_events_total{resource="pods",type="ADDED"} 1',
      'watch_restarts_total{resource="pods",reason="expired"} 1',
    ]);
  });

  it('end with the process: nobody listens any more', async () => {
    const ended = measure('node');
    ended.close();
    publish.node({ kind: 'cni-began', command: 'ADD' });
    expect(await ended.text()).toBe('\n');
  });
});
