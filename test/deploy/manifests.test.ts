import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { parseAllDocuments } from 'yaml';
import { masterCommand } from '../../src/cli/master.ts';
import { nodeCommand } from '../../src/cli/node.ts';
import { parseConfig } from '../../src/config/index.ts';
import { deployedRights } from '../support/rights.ts';

const ROOT = join(__dirname, '../..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as { readonly version: string };

interface Probe {
  readonly httpGet: { readonly host: string; readonly port: number; readonly path: string };
}

interface Container {
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly valueFrom: { readonly configMapKeyRef?: { readonly name: string; readonly key: string } };
  }[];
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Pod {
  readonly serviceAccountName: string;
  readonly initContainers?: readonly { readonly command: readonly string[] }[];
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}

interface Workload {
  readonly spec: { readonly template: { readonly spec: Pod } };
}

/** The first object of a file in deploy/. */
function firstOf<T>(file: string): T {
  return parseAllDocuments(read(`deploy/${file}`))[0]?.toJS() as T;
}

const config = firstOf<{ metadata: { name: string }; data: Record<string, string> }>('config.yaml');
const podOf = (file: string): Pod => firstOf<Workload>(file).spec.template.spec;
const containerOf = (file: string): Container => podOf(file).containers[0] as Container;

describe.each<[string, () => Command]>([
  ['master', masterCommand],
  ['node', nodeCommand],
])('deploy/%s.yaml', (component, command) => {
  const file = `${component}.yaml`;
  const pod = podOf(file);
  const { args, env, livenessProbe, readinessProbe, volumeMounts } = containerOf(file);

  it('gives only options that there are, and all that must be given', () => {
    const { options } = command();
    const [name, ...given] = args.map(arg => arg.split('=')[0]);
    expect(name).toBe(component);
    expect(given.filter(option => !options.some(({ long }) => long === option))).toEqual([]);
    const mandatory = options.filter(({ mandatory }) => mandatory).map(({ long }) => long);
    expect(mandatory.filter(option => !given.includes(option ?? ''))).toEqual([]);
  });

  it('asks for health where it is served', () => {
    const address = args.find(arg => arg.startsWith('--metrics-bind-address='))?.split('=')[1];
    const [live, ready] = [livenessProbe, readinessProbe].map(
      ({ httpGet: { host, port, path } }) => `${host}:${port}${path}`,
    );
    expect([live, ready]).toEqual([`${address}/healthz`, `${address}/readyz`]);
  });

  it('takes from config.yaml only what is in it', () => {
    const references = env.flatMap(({ valueFrom }) => valueFrom.configMapKeyRef ?? []);
    expect(references.length).toBeGreaterThan(2);
    for (const { name, key } of references) {
      expect(name).toBe(config.metadata.name);
      expect(config.data).toHaveProperty([key]);
    }
  });

  it('runs as an account that has rights', () => {
    const users = deployedRights().map(({ user }) => user);
    expect(users).toContain(`system:serviceaccount:kube-northbound:${pod.serviceAccountName}`);
  });

  it('has all files that its arguments name', () => {
    const volumes = new Set(pod.volumes.map(({ name }) => name));
    expect(volumeMounts.filter(({ name }) => !volumes.has(name))).toEqual([]);
    const files = args.flatMap(arg => arg.match(/(?<=[=:])\/\S+$/)?.[0] ?? []);
    expect(files.length).toBeGreaterThan(3);
    const inImage = (path: string) =>
      path.startsWith('/opt/kube-northbound/image/') &&
      existsSync(join(ROOT, 'deploy/image', path.split('/').at(-1) ?? ''));
    const isMounted = (path: string) =>
      volumeMounts.some(({ mountPath }) => path === mountPath || path.startsWith(`${mountPath}/`));
    expect(files.filter(path => !isMounted(path) && !inImage(path))).toEqual([]);
  });
});

describe('deploy/config.yaml', () => {
  it('has a configuration that can be read, whose Lease the master may use', () => {
    const { installation } = parseConfig(config.data['config.yaml'] ?? '', 'deploy/config.yaml');
    const leases = deployedRights().filter(({ resource, names }) => resource === 'leases' && names);
    expect(leases.length).toBeGreaterThan(0);
    for (const { names } of leases) expect(names).toEqual([`kube-northbound-${installation}`]);
  });
});

describe('the image', () => {
  const containerfile = read('deploy/Containerfile');

  it('has the Node.js that the tests run on', () => {
    const [, tested] = /NODE_24 = '([\d.]+)'/.exec(read('tools/test.mjs')) ?? [];
    expect(containerfile).toContain(`ARG BASE=node:${tested}-`);
  });

  it('is made of files that are there, and that the builder is given', () => {
    const copied = [...containerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files = '']) =>
      files.split(' '),
    );
    expect(copied.length).toBeGreaterThan(6);
    expect(copied.filter(path => !existsSync(join(ROOT, path)))).toEqual([]);
    const given = read('.dockerignore').split('\n');
    expect(copied.filter(path => !given.includes(`!${path}`))).toEqual([]);
  });

  it('is named after the version', () => {
    expect(firstOf<{ images: unknown }>('kustomization.yaml').images).toEqual([
      { name: 'kube-northbound', newTag: manifest.version },
    ]);
  });

  it('has what the init container of the agent runs', () => {
    const [path = ''] = podOf('node.yaml').initContainers?.[0]?.command ?? [];
    expect(existsSync(join(ROOT, 'deploy/image', path.replace('/opt/kube-northbound/image/', '')))).toBe(
      true,
    );
  });
});
