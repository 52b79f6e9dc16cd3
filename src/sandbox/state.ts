import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { writeJson } from './atomic-file.ts';
import type { Topology } from './hosts/topology.ts';
import type { RunPaths } from './paths.ts';

/** What a sandbox is made of: written before anything of it is made, so that `down` finds all of it. */
export interface SandboxState {
  /** `making` until `up` has done all; a sandbox that stays so is half made. */
  readonly phase: 'making' | 'up';
  /** The folder of OVN's programs. */
  readonly ovnRoot: string;
  readonly topology: Topology;
  /** Absolute paths. */
  readonly manifests: readonly string[];
  /** The configuration file of master and agents, as an absolute path. */
  readonly config?: string;
  /** Without master, agents and pods. */
  readonly ovnOnly: boolean;
  /** A Kubernetes control plane beside OVN; the objects are then on its API server. */
  readonly kubernetes?: KubernetesState;
}

export interface KubernetesState {
  /** The folder of its programs, kubectl among them. */
  readonly bin: string;
  /** The port of 127.0.0.1 in the root namespace at which the API server is reached from outside. */
  readonly port: number;
}

/** There is no such sandbox, or one where there must be none, or its files cannot be understood. */
export class StateError extends Error {
  override readonly name = 'StateError';
}

/** Takes a name for a new sandbox and records it. Throws {@link StateError} where the name is taken. */
export function claimSandbox(paths: RunPaths, state: SandboxState): void {
  const { name } = state.topology;
  mkdirSync(paths.base, { recursive: true });
  try {
    mkdirSync(paths.dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    checkUntaken(name, paths);
  }
  writeState(paths, state);
}

/** Throws {@link StateError} where there is a sandbox of that name, whole or half made. */
export function checkUntaken(name: string, paths: RunPaths): void {
  if (existsSync(paths.dir)) throw new StateError(takenMessage(name, paths));
}

export function writeState(paths: RunPaths, state: SandboxState): void {
  writeJson(paths.state, state);
}

/** Reads the record of a sandbox. Throws {@link StateError}. */
export function readState(paths: RunPaths): SandboxState {
  if (!existsSync(paths.state))
    throw new StateError(`there is no sandbox at ${paths.dir}: ${upList(paths.base)}`);
  try {
    return JSON.parse(readFileSync(paths.state, 'utf8')) as SandboxState;
  } catch (cause) {
    throw new StateError(`${paths.state} cannot be read`, { cause });
  }
}

/** What to say of a sandbox whose `up` did not finish. */
export function halfMade(name: string): string {
  return `the sandbox ${name} is half made: remove it with ${downCommand(name)}`;
}

function takenMessage(name: string, paths: RunPaths): string {
  const made = existsSync(paths.state) && readState(paths).phase === 'up';
  if (!made) return halfMade(name);
  return `the sandbox ${name} is up already: take it down with ${downCommand(name)}, or choose another --name`;
}

function downCommand(name: string): string {
  return `"kube-northbound sandbox down --name ${name}"`;
}

function upList(base: string): string {
  const names = existsSync(base)
    ? readdirSync(base, { withFileTypes: true })
        .filter(entry => entry.isDirectory())
        .map(entry => entry.name)
    : [];
  return names.length === 0 ? 'none is up' : `these are there: ${names.join(', ')}`;
}
