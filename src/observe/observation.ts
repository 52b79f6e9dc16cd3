import type { Log } from '../contracts/log.ts';
import { Conditions, type Requirements } from './conditions.ts';
import { serveHealth } from './health.ts';
import { formatListenAddress, type ListenAddress } from './listen-address.ts';
import { type Component, Metrics } from './metrics.ts';

export interface ObservationOptions {
  readonly component: Component;
  /** Of this program. */
  readonly version: string;
  readonly requirements: Requirements;
  /** Undefined: nothing is measured or served. */
  readonly address: ListenAddress | undefined;
  readonly log: Log;
}

/**
 * Measures the process and serves `/healthz`, `/readyz` and `/metrics`; start it before what it is to observe. Gives
 * the function that ends it. Rejects where it cannot listen at the address.
 */
export async function startObservation(options: ObservationOptions): Promise<() => Promise<void>> {
  const { component, version, requirements, address, log } = options;
  if (address === undefined) return () => Promise.resolve();
  const metrics = new Metrics(component, version);
  const conditions = new Conditions(requirements);
  const end = () => {
    metrics.close();
    conditions.close();
  };
  try {
    const server = await serveHealth(address, {
      dead: () => conditions.dead(),
      unready: () => conditions.unready(),
      metrics,
    });
    log.info({ address: formatListenAddress(server.address) }, 'serving /healthz, /readyz and /metrics');
    return async () => {
      end();
      await server.close();
    };
  } catch (error) {
    end();
    throw error;
  }
}
