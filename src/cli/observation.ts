import type { Command } from 'commander';
import type { Log } from '../contracts/log.ts';
import type { Requirements } from '../observe/conditions.ts';
import { type ListenAddress, parseListenAddress } from '../observe/listen-address.ts';
import type { Component } from '../observe/metrics.ts';
import { startObservation } from '../observe/observation.ts';
import { UsageError } from './exit.ts';
import { version } from './version.ts';

/** Where metrics and health are served, where nobody says it and there is an API server. */
const DEFAULTS: Readonly<Record<Component, string>> = { master: '127.0.0.1:9409', node: '127.0.0.1:9410' };

export interface ObservationOption {
  readonly metricsBindAddress?: string;
}

/** Adds `--metrics-bind-address` to a command. */
export function addObservation(command: Command, component: Component): Command {
  return command.option(
    '--metrics-bind-address <address>',
    'serve /metrics, /healthz and /readyz here, e.g. [::1]:9409; 0: nowhere ' +
      `(default: ${DEFAULTS[component]} with an API server, 0 with manifests)`,
  );
}

/** Where to serve. Throws UsageError where the option is no address. */
export function observationAddress(
  { metricsBindAddress, manifests }: ObservationOption & { readonly manifests?: unknown },
  component: Component,
): ListenAddress | undefined {
  const text = metricsBindAddress ?? (manifests === undefined ? DEFAULTS[component] : '0');
  try {
    return parseListenAddress(text);
  } catch (error) {
    throw new UsageError(`--metrics-bind-address: ${error instanceof Error ? error.message : error}`);
  }
}

export interface ObservedWork {
  readonly component: Component;
  readonly address: ListenAddress | undefined;
  readonly requirements: Requirements;
  readonly log: Log;
}

/** Does the work while the process is measured and its health served. Rejects where it cannot listen, too. */
export async function whileObserved(options: ObservedWork, work: () => Promise<void>): Promise<void> {
  const end = await startObservation({ ...options, version: version() }).catch(error => {
    const remedy = 'choose another --metrics-bind-address, or 0 for none';
    throw new Error(`${error.message}; ${remedy}`, { cause: error });
  });
  try {
    await work();
  } finally {
    await end();
  }
}
