import { Command, InvalidArgumentError, Option } from 'commander';
import { loadConfig } from '../config/index.ts';
import type { Log } from '../contracts/log.ts';
import { createLog } from '../observe/log.ts';
import {
  bringUp,
  controlPlanePrograms,
  killByName,
  NodeCountError,
  OVN_RELEASES,
  type OvnRelease,
  ovnRoot,
  ovnRootAt,
  RunPaths,
  readState,
  relayTarget,
  runPods,
  runRelay,
  sandboxStatus,
  startByName,
  statusText,
  takeDown,
} from '../sandbox/index.ts';
import { ExitError, UsageError } from './exit.ts';
import { addLogLevel, type LogLevelOption } from './log-option.ts';
import { requireRoot } from './require-root.ts';
import { matrixCommand } from './sandbox-matrix.ts';
import { addName, type NameOption } from './sandbox-name.ts';
import { toolCommands } from './sandbox-tools.ts';
import { collect } from './source-options.ts';

interface UpCliOptions extends NameOption, LogLevelOption {
  readonly manifests?: readonly string[];
  readonly nodes?: number;
  readonly ovnRoot?: string;
  readonly ovnRelease: OvnRelease;
  readonly ovnOnly?: boolean;
  readonly kubernetes?: boolean;
  readonly raft?: boolean;
  readonly config?: string;
  readonly timeout?: number;
}

const EXAMPLE = `
Example:
  kube-northbound sandbox up --manifests examples/first-light
  kube-northbound sandbox exec shop-frontend/web-1 -- ip address
  kube-northbound sandbox down`;

/** `kube-northbound sandbox`: a real OVN cluster on this machine. */
export function sandboxCommand(): Command {
  const command = new Command('sandbox')
    .description(
      'A real OVN cluster on this machine: every node and every pod is a network namespace. Needs root.',
    )
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLE);
  for (const child of [
    upCommand(),
    statusCommand(),
    downCommand(),
    matrixCommand(),
    fetchCommand(),
    ...toolCommands(),
    ...processCommands(),
  ]) {
    command.addCommand(child);
  }
  return command.addCommand(runnerCommand(), { hidden: true }).addCommand(relayCommand(), { hidden: true });
}

function upCommand(): Command {
  return addLogLevel(addName(new Command('up')))
    .description('Brings a cluster up and waits until all pods of the manifests are attached and listen.')
    .addOption(
      new Option('--manifests <path>', 'folder or file of manifests; may be given several times').argParser(
        collect,
      ),
    )
    .option('--nodes <number>', 'how many nodes, where the manifests have no Node', wholeNumber)
    .option('--ovn-root <dir>', "a folder with OVN's Debian packages unpacked; / is the installed OVN")
    .addOption(releaseOption())
    .option('--ovn-only', 'only databases, northd and chassis: no master, no agents, no pods')
    .option('--kubernetes', 'with a Kubernetes control plane, which the manifests are applied to once')
    .option('--raft', "each of OVN's databases as a RAFT cluster of three")
    .option('--config <file>', 'configuration of master and agents (YAML)')
    .option(
      '--timeout <seconds>',
      'how long the pods may take (default: 60, and 1 more for each pod)',
      wholeNumber,
    )
    .addHelpText(
      'after',
      '\nExample:\n  kube-northbound sandbox up --manifests examples/first-light --name shop',
    )
    .action(up);
}

async function up(options: UpCliOptions): Promise<void> {
  const {
    name,
    manifests = [],
    nodes,
    ovnRoot: folder,
    ovnRelease,
    ovnOnly = false,
    kubernetes = false,
    raft = false,
    config,
    timeout,
  } = options;
  if (manifests.length === 0 && nodes === undefined) throw new UsageError('give --manifests or --nodes');
  requireRoot();
  // Master and agents read it; a mistake in it is better told before anything is made.
  loadConfig(config);
  const log = progressLog(options);
  const loaders = {
    loadRoot: () => (folder === undefined ? ovnRoot(ovnRelease, log) : ovnRootAt(folder)),
    loadControlPlane: () => controlPlanePrograms(log),
  };
  const wanted = {
    name,
    manifests,
    ovnOnly,
    kubernetes,
    raft,
    ...(nodes === undefined ? {} : { nodes }),
    ...(config === undefined ? {} : { config }),
    ...(timeout === undefined ? {} : { timeout: timeout * 1000 }),
  };
  const missing = await bringUp(wanted, new RunPaths(name), loaders, log).catch(error => {
    throw error instanceof NodeCountError ? new UsageError(error.message) : error;
  });
  if (missing.length > 0) {
    throw new ExitError(1, `the sandbox ${name} is up, but not all of it:\n  ${missing.join('\n  ')}`);
  }
  log.info({ name }, 'the sandbox is up');
}

interface FetchOptions extends LogLevelOption {
  readonly ovnRelease: OvnRelease;
  readonly kubernetes?: boolean;
}

/** Lets `up` start at once later, and tells tests whether programs can be had. */
function fetchCommand(): Command {
  return addLogLevel(new Command('fetch'))
    .description('Downloads OVN of a Debian release, where it is not there yet, and prints its folder.')
    .addOption(releaseOption())
    .option('--kubernetes', 'instead of OVN a Kubernetes control plane, which Go builds from source')
    .addHelpText('after', '\nExample:\n  kube-northbound sandbox fetch --ovn-release bookworm')
    .action(async (options: FetchOptions) => {
      const log = progressLog(options);
      const folder = options.kubernetes
        ? await controlPlanePrograms(log)
        : (await ovnRoot(options.ovnRelease, log)).dir;
      process.stdout.write(`${folder}\n`);
    });
}

function releaseOption(): Option {
  return new Option('--ovn-release <name>', 'the Debian release whose OVN is fetched')
    .choices(OVN_RELEASES)
    .default('trixie');
}

function statusCommand(): Command {
  return addName(new Command('status'))
    .description('Tells what a sandbox consists of.')
    .addOption(new Option('--output <format>', 'how').choices(['text', 'json']).default('text'))
    .addHelpText('after', '\nExample:\n  kube-northbound sandbox status --output json')
    .action((options: NameOption & { readonly output: string }) => {
      const paths = new RunPaths(options.name);
      const status = sandboxStatus(readState(paths), paths);
      const text = options.output === 'json' ? `${JSON.stringify(status, null, 2)}\n` : statusText(status);
      process.stdout.write(text);
    });
}

function downCommand(): Command {
  return addLogLevel(addName(new Command('down')))
    .description('Removes a sandbox and everything that was made for it, also where "up" did not finish.')
    .addHelpText('after', '\nExample:\n  kube-northbound sandbox down --name shop')
    .action(async (options: NameOption & LogLevelOption) => {
      requireRoot();
      await takeDown(new RunPaths(options.name), progressLog(options));
    });
}

function processCommands(): readonly Command[] {
  const kill = addName(new Command('kill'))
    .description('Ends a process by SIGKILL, as a crash would. "status" lists the names.')
    .argument('<process>', 'as "status" calls it, e.g. nb, northd, master, kube-apiserver, or NODE/agent')
    .addHelpText('after', '\nExample:\n  kube-northbound sandbox kill worker-1/controller')
    .action((name: string, options: NameOption) => {
      requireRoot();
      const paths = new RunPaths(options.name);
      return killByName(name, readState(paths), paths);
    });
  const start = addName(new Command('start'))
    .description('Starts a process that has ended, with its old arguments and its state on disk.')
    .argument('<process>', 'as for kill')
    .addHelpText('after', '\nExample:\n  kube-northbound sandbox start worker-1/controller')
    .action((name: string, options: NameOption) => {
      requireRoot();
      const paths = new RunPaths(options.name);
      return startByName(name, readState(paths), paths);
    });
  return [kill, start];
}

/** Started by `up`. */
function runnerCommand(): Command {
  return addLogLevel(new Command('runner'))
    .description("Keeps a sandbox's pods equal to its manifests.")
    .requiredOption('--state <file>', "the sandbox's state.json")
    .addHelpText(
      'after',
      '\nExample:\n  kube-northbound sandbox runner --state /run/kube-northbound/shop/state.json',
    )
    .action(async ({ state, logLevel }: LogLevelOption & { readonly state: string }) => {
      const stop = await runPods(state, createLog({ level: logLevel }));
      await new Promise<void>(resolve => {
        for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
      });
      stop();
    });
}

/** Started by `up`, with a listening socket. */
function relayCommand(): Command {
  return new Command('relay')
    .description('Passes connections from outside on to the API server of a sandbox.')
    .requiredOption('--state <file>', "the sandbox's state.json")
    .addHelpText(
      'after',
      '\nExample:\n  kube-northbound sandbox relay --state /run/kube-northbound/shop/state.json',
    )
    .action(({ state }: { readonly state: string }) => {
      runRelay(relayTarget(readState(RunPaths.ofState(state))));
    });
}

function progressLog({ logLevel }: LogLevelOption): Log {
  return createLog({ level: logLevel, human: true });
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}
