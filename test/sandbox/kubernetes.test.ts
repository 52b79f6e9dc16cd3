import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runningRemote, serversOf, southboundRemote } from '../../src/sandbox/hosts/databases.ts';
import { generatedNodes, planTopology } from '../../src/sandbox/hosts/topology.ts';
import { type ClusterView, missingObjects } from '../../src/sandbox/kubernetes/await-cluster.ts';
import { buildPrograms } from '../../src/sandbox/kubernetes/build-programs.ts';
import { freePort } from '../../src/sandbox/kubernetes/free-port.ts';
import { writeKubeconfig } from '../../src/sandbox/kubernetes/kubeconfig.ts';
import { findPrograms } from '../../src/sandbox/kubernetes/programs.ts';
import { kubernetesProcesses } from '../../src/sandbox/kubernetes/sandbox-plane.ts';
import { packageFile, scriptFile } from '../../src/sandbox/package-files.ts';
import { RunPaths } from '../../src/sandbox/paths.ts';
import { poll } from '../../src/sandbox/processes/poll.ts';
import type { SandboxState } from '../../src/sandbox/state.ts';

const PROGRAMS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kubectl'];
const silent = { debug() {}, info() {}, warn() {}, error() {} };

let folder = '';
const environment = { ...process.env };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'knb-kubernetes-'));
});
afterEach(() => {
  process.env = { ...environment };
  rmSync(folder, { recursive: true, force: true });
});

describe('the programs of a control plane', () => {
  it('are those that KUBEBUILDER_ASSETS names, if it has all of them', () => {
    process.env.KUBEBUILDER_ASSETS = folder;
    for (const program of PROGRAMS.slice(0, 2)) writeFileSync(join(folder, program), '');
    expect(findPrograms).toThrow(
      `KUBEBUILDER_ASSETS: ${folder} lacks kube-controller-manager, kube-scheduler, kubectl; add them`,
    );
    for (const program of PROGRAMS) writeFileSync(join(folder, program), '');
    expect(findPrograms()).toBe(folder);
  });

  it('are not there before they were built into the cache', () => {
    process.env.KUBEBUILDER_ASSETS = '';
    process.env.XDG_CACHE_HOME = folder;
    expect(findPrograms()).toBeUndefined();
  });

  it('cannot be had without Go', async () => {
    process.env.PATH = folder;
    const module = packageFile('tools/control-plane');
    const build = buildPrograms({
      module,
      version: '1.2.3',
      work: folder,
      lock: join(folder, 'l'),
      log: silent,
    });
    await expect(build).rejects.toThrow(
      'the Kubernetes control plane cannot be built (go is not installed); it takes Go 1.26',
    );
  });
});

describe('the processes of a control plane', () => {
  const paths = new RunPaths('s', '/run/x');
  const state: SandboxState = {
    phase: 'up',
    ovnRoot: '/',
    topology: planTopology('s', generatedNodes(1)),
    manifests: [],
    ovnOnly: true,
    kubernetes: { bin: '/bin/there', port: 4711 },
  };

  it('run on the central host, each found by a file of its own', () => {
    const { servers, clients } = kubernetesProcesses(state, paths);
    const processes = [...servers, ...clients];
    const names = ['etcd', 'kube-apiserver', 'relay', 'kube-controller-manager', 'kube-scheduler'];
    expect(processes.map(({ name }) => name)).toEqual(names);
    for (const { command } of processes) {
      expect([command.file, ...command.args].join(' ')).toContain('ip netns exec knb-s-central');
    }
    for (const { marker, command } of processes) {
      expect(command.args.filter(argument => argument.includes(marker))).toHaveLength(1);
      const bearers = processes.filter(other =>
        other.command.args.some(argument => argument.includes(marker)),
      );
      expect(bearers).toHaveLength(1);
    }
  });

  it('are none in a sandbox without', () => {
    const { kubernetes: _, ...plain } = state;
    expect(kubernetesProcesses(plain, paths)).toEqual({ servers: [], clients: [] });
  });
});

describe('a cluster that comes up', () => {
  const ready = (status: string, message = '') => ({
    status: { conditions: [{ type: 'Ready', status, message }] },
  });
  const pod = (name: string, object: object) => ({ metadata: { namespace: 'shop', name }, ...object });
  const view = (objects: Partial<ClusterView>) => ({ nodes: [], pods: [], deployments: [], ...objects });

  it('misses Nodes that have not registered or are not ready', () => {
    const nodes = [
      { metadata: { name: 'a' }, ...ready('True') },
      { metadata: { name: 'b' }, ...ready('Unknown') },
    ];
    expect(missingObjects(view({ nodes }), ['a', 'b', 'c'])).toEqual([
      'Node b is not ready',
      'Node c is not ready',
    ]);
  });

  it('misses pods that are not ready, with what is said of them', () => {
    const pods = [
      pod('good', ready('True')),
      pod('new', {}),
      pod('bad', ready('False', '0/3 nodes are available')),
    ];
    expect(missingObjects(view({ pods }), [])).toEqual([
      'Pod shop/new is not ready: it is still being attached',
      'Pod shop/bad is not ready: 0/3 nodes are available',
    ]);
  });

  it('misses pods that a Deployment has not made yet', () => {
    const web = (status: object) => pod('web', { spec: { replicas: 2 }, status });
    const deployments = [web({}), web({ replicas: 1 }), web({ replicas: 2 })];
    expect(missingObjects(view({ deployments }), [])).toEqual(
      Array(2).fill('Deployment shop/web lacks pods'),
    );
  });
});

describe('a kubeconfig', () => {
  it('needs no other file', () => {
    const authority = join(folder, 'ca');
    const file = join(folder, 'config');
    writeFileSync(authority, 'CA');
    writeKubeconfig(file, { server: 'https://h:1', authority, credentials: { token: 't' } });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      clusters: [{ cluster: { server: 'https://h:1', 'certificate-authority-data': 'Q0E=' } }],
      users: [{ user: { token: 't' } }],
      'current-context': 'sandbox',
    });
  });
});

describe('databases as RAFT clusters', () => {
  it('have three servers each, on ports of their own', () => {
    const topology = planTopology('s', generatedNodes(1), 3);
    const servers = [...serversOf('nb', topology), ...serversOf('sb', topology)];
    expect(servers.map(({ name }) => name)).toEqual(['nb', 'nb2', 'nb3', 'sb', 'sb2', 'sb3']);
    expect(new Set(servers.flatMap(({ port, raftPort }) => [port, raftPort])).size).toBe(12);
    expect(southboundRemote(topology)).toBe('tcp:170.168.0.2:6642,tcp:170.168.0.2:6652,tcp:170.168.0.2:6662');
  });

  it('are asked where a server runs, or all where none does', () => {
    const topology = planTopology('s', generatedNodes(1), 3);
    const remote = (...running: readonly string[]) =>
      runningRemote('nb', topology, new RunPaths('s', '/r'), name => running.includes(name));
    expect(remote('nb2', 'nb3')).toBe('unix:/r/s/central/nb2.sock,unix:/r/s/central/nb3.sock');
    expect(remote().split(',')).toHaveLength(3);
  });
});

describe('listen.pl', () => {
  it('leaves the program a socket that listens', async () => {
    const port = await freePort();
    const answer = "require('net').createServer(client => client.end('here')).listen({ fd: 3 })";
    const program = ['-e', 'exec @ARGV', process.execPath, '-e', answer];
    const child = spawn('perl', [scriptFile('kubernetes/listen.pl'), String(port), 'perl', ...program], {
      stdio: 'inherit',
    });
    try {
      const said = () => text(connect(port, '127.0.0.1')).catch(() => undefined);
      expect(await poll(10_000, said, 10)).toBe('here');
    } finally {
      child.kill();
    }
  });
});
