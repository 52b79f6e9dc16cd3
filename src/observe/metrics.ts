import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Channels } from './channels.ts';
import { attachmentMetrics } from './metrics/attachments.ts';
import { leadMetrics, watchMetrics, writeMetrics } from './metrics/cluster.ts';
import { databaseMetrics } from './metrics/databases.ts';
import { northboundMetrics } from './metrics/northbound.ts';

/** Which of our long-running programs this process is. */
export type Component = 'master' | 'node';

/** A process's metrics, kept by what its rooms say on their diagnostics channels. */
export class Metrics {
  readonly registry = new Registry();
  readonly #channels = new Channels();

  /** Listens from now on. `version`: of this program. */
  constructor(component: Component, version: string) {
    const { registry } = this;
    collectDefaultMetrics({ register: registry });
    new Gauge({
      name: 'kube_northbound_build_info',
      help: 'Always 1; the labels say what runs.',
      labelNames: ['component', 'version'],
      registers: [registry],
    }).set({ component, version }, 1);
    this.#channels.on('ovsdb', databaseMetrics(registry));
    this.#channels.on('cluster', watchMetrics(registry));
    this.#channels.on('cluster', writeMetrics(registry));
    if (component === 'node') {
      this.#channels.on('node', attachmentMetrics(registry));
    } else {
      this.#channels.on('cluster', leadMetrics(registry));
      this.#channels.on('master', northboundMetrics(registry));
    }
  }

  /** The metrics in Prometheus' text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** The media type of {@link text}. */
  get contentType(): string {
    return this.registry.contentType;
  }

  /** Listens no more. */
  close(): void {
    this.#channels.close();
    this.registry.clear();
  }
}
