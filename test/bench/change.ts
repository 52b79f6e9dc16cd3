import type { KubeObject } from '../../src/cluster/manifests.ts';
import type { Databases } from './databases.ts';
import { Product } from './product.ts';
import { RawClient } from './raw-client.ts';
import { median, rounded } from './statistics.ts';
import { requestText } from './transcript.ts';
import { cluster, guest, pods } from './workload.ts';

/** One change, in microseconds. */
interface Sample {
  /** From the changed object to the mirror that shows it. */
  readonly ours: number;
  /** The database's own time for the same transaction, at the same size. */
  readonly raw: number;
  /** The part of `ours` before the transaction is sent: all of it our own work. */
  readonly plan: number;
}

/** Medians, in microseconds. */
interface SampleMedians {
  readonly ours_us: number;
  readonly raw_us: number;
  readonly less_raw_us: number;
  readonly plan_us: number;
}

export interface ChangeResult {
  readonly nodes: number;
  /** How many changes were made at each size: a pod comes, gets another address, goes. */
  readonly changes: number;
  readonly sizes: readonly (SampleMedians & { readonly pods: number })[];
  /** `less_raw_us` at the last size by that at the first. */
  readonly ratio: number;
  /** The same of `plan_us`. */
  readonly plan_ratio: number;
}

export interface ChangeOptions {
  /** Sizes to compare. */
  readonly pods: readonly number[];
  readonly nodes: number;
  readonly guests: number;
}

/** Single changes at several sizes of one cluster, by turns, so that whatever else the machine does meets all alike. */
export async function measureChanges(databases: Databases, options: ChangeOptions): Promise<ChangeResult> {
  const { nodes, guests } = options;
  const sites: Site[] = [];
  for (const count of options.pods) sites.push(await Site.create(databases, count, nodes));
  // The first changes only warm up, in this order: code is compiled for the sizes alike.
  for (let number = 0; number < guests; number++) {
    for (const site of sites) await site.visit(number, number >= guests / 10);
  }
  const sizes = sites.map(site => ({ pods: site.pods, ...site.medians() }));
  for (const site of sites) await site.close();
  const [first, last] = [sizes[0], sizes.at(-1)];
  return {
    nodes,
    changes: sites[0]?.samples.length ?? 0,
    sizes,
    ratio: rounded((last?.less_raw_us ?? Number.NaN) / (first?.less_raw_us ?? Number.NaN), 2),
    plan_ratio: rounded((last?.plan_us ?? Number.NaN) / (first?.plan_us ?? Number.NaN), 2),
  };
}

/** A cluster of one size in two equal databases: one that the product keeps, one for the repeated transactions. */
class Site {
  readonly pods: number;
  readonly samples: Sample[] = [];
  readonly #nodes: number;
  readonly #product: Product;
  readonly #raw: RawClient;
  #nextId = 0;
  #sent: { readonly text: string; readonly at: number }[] = [];

  private constructor(podCount: number, nodes: number, product: Product, raw: RawClient) {
    this.pods = podCount;
    this.#nodes = nodes;
    this.#product = product;
    this.#raw = raw;
    product.onTransact = operations => {
      const at = performance.now();
      this.#sent.push({ text: requestText(this.#nextId++, operations), at });
    };
  }

  static async create(databases: Databases, podCount: number, nodes: number): Promise<Site> {
    const objects = [...cluster(nodes), ...pods(podCount, nodes)];
    const product = await Product.start(databases.start().endpoint, objects);
    const site = new Site(podCount, nodes, product, await RawClient.open(databases.start().endpoint.path));
    await product.sync();
    await site.#repeat();
    return site;
  }

  /** Lets one pod come, change and go. */
  async visit(number: number, counts: boolean): Promise<void> {
    const [before, after] = [guest(number, this.#nodes, 250), guest(number, this.#nodes, 251)];
    const samples = [await this.#change([before]), await this.#change([after])];
    samples.push(await this.#change([], [after]));
    if (counts) this.samples.push(...samples);
  }

  medians(): SampleMedians {
    const of = (pick: (sample: Sample) => number) => rounded(median(this.samples.map(pick)));
    return {
      ours_us: of(({ ours }) => ours),
      raw_us: of(({ raw }) => raw),
      less_raw_us: of(({ ours, raw }) => ours - raw),
      plan_us: of(({ plan }) => plan),
    };
  }

  async close(): Promise<void> {
    await this.#product.close();
    this.#raw.close();
  }

  async #change(put: readonly KubeObject[], deleted: readonly KubeObject[] = []): Promise<Sample> {
    const start = performance.now();
    await this.#product.take(put, deleted);
    const ours = performance.now() - start;
    const [sent] = this.#sent;
    if (!sent || this.#sent.length > 1) {
      throw new Error(`one change of a pod made ${this.#sent.length} transactions`);
    }
    const raw = await this.#repeat();
    return { ours: ours * 1000, raw: raw * 1000, plan: (sent.at - start) * 1000 };
  }

  /** Repeats what was sent meanwhile, in the other database; milliseconds. */
  async #repeat(): Promise<number> {
    const requests = this.#sent.map(({ text }) => Buffer.from(text));
    this.#sent = [];
    const start = performance.now();
    await this.#raw.send(requests, this.#nextId - 1);
    return performance.now() - start;
  }
}
