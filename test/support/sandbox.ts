import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type Finished, kubeNorthbound, runToEnd } from './master-process.ts';

/** What `sandbox status --output json` prints. */
export interface SandboxStatus {
  readonly name: string;
  readonly databases: { readonly nb: string; readonly sb: string };
  readonly nodes: readonly {
    readonly name: string;
    readonly netns: string;
    readonly ips: readonly string[];
  }[];
  readonly outside: { readonly netns: string; readonly ips: readonly string[] };
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  readonly pods: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly node: string;
    readonly netns: string;
    readonly mac: string;
    readonly ips: readonly string[];
    readonly logicalPort: string;
  }[];
}

const FIRST_LIGHT = join(__dirname, '../../examples/first-light');

/** A sandbox of its own, driven by the command as a user would. */
export class Sandbox {
  readonly name: string;
  /** A copy of the manifests, for a test to change. */
  readonly manifests = mkdtempSync(join(tmpdir(), 'sandbox-'));

  constructor(suffix: string, manifests: string = FIRST_LIGHT) {
    this.name = `t${process.pid % 100_000}${suffix}`;
    cpSync(manifests, this.manifests, { recursive: true });
  }

  up(...options: readonly string[]): Promise<Finished> {
    return this.run('up', '--manifests', this.manifests, ...options);
  }

  /** Takes it down, whatever became of it. */
  async down(): Promise<Finished> {
    const down = await this.run('down');
    rmSync(this.manifests, { recursive: true, force: true });
    return down;
  }

  /** `sandbox COMMAND --name … ARGS`. */
  run(command: string, ...args: readonly string[]): Promise<Finished> {
    return kubeNorthbound(['sandbox', command, '--name', this.name, ...args]);
  }

  /** Like {@link run}; fails with the words of a command that fails, else gives its output. */
  async output(command: string, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(command, ...args);
    if (code !== 0)
      throw new Error(`sandbox ${command} ${args.join(' ')}: exit code ${code}\n${stderr}${stdout}`);
    return stdout;
  }

  async status(): Promise<SandboxStatus> {
    return JSON.parse(await this.output('status', '--output', 'json'));
  }

  /** The pid of a process, by its name in the status. */
  async pid(name: string): Promise<number> {
    const process = (await this.status()).processes.find(({ name: is }) => is === name);
    if (!process) throw new Error(`there is no process ${name}`);
    return process.pid;
  }

  /** Waits until the status has a pod, attached with addresses, other than `previous`. */
  attached(pod: string, previous?: string): Promise<SandboxStatus['pods'][number]> {
    return eventually(
      `${pod} is attached`,
      async () => {
        const { pods } = await this.status();
        return pods.find(
          ({ namespace, name, netns }) => `${namespace}/${name}` === pod && netns !== previous,
        );
      },
      30_000,
    );
  }

  /** Waits until everybody reaches everybody. */
  async allReachable(timeout = 90_000): Promise<void> {
    await eventually(
      'all pods reach all pods',
      async () => ((await this.run('matrix', '--output', 'json')).code === 0 ? true : undefined),
      timeout,
    );
  }

  /**
   * Pings from a pod, ten times a second, while `work` runs: how many were sent, how many of them were answered, and which
   * were not, by their place in a run of ping. Each run ends by itself: one that is interrupted has a packet on its way.
   */
  async pingDuring(
    pod: string,
    address: string,
    work: () => Promise<void>,
  ): Promise<{ sent: number; answered: number; lost: readonly string[] }> {
    const { netns } = await this.attached(pod);
    const command = ['netns', 'exec', netns, 'ping', '-n', '-i', '0.1', '-c', '20', '-W', '2', address];
    const lost: string[] = [];
    let [sent, answered, isOver] = [0, 0, false];
    const ping = async () => {
      for (let run = 1; !isOver; run++) {
        const { stdout } = await runToEnd('ip', command);
        const count = Number(/(\d+) packets transmitted/.exec(stdout)?.[1]);
        const answers = Array.from(stdout.matchAll(/ icmp_seq=(\d+) ttl=/g), ([, number]) => Number(number));
        sent += count;
        answered += answers.length;
        for (let number = 1; number <= count; number++)
          if (!answers.includes(number)) lost.push(`${number} of ${count} in run ${run}`);
      }
    };
    const pings = ping();
    try {
      await work();
    } finally {
      isOver = true;
      await pings;
    }
    return { sent, answered, lost };
  }
}
