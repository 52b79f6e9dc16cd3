import { join } from 'node:path';
import { Command } from 'commander';
import {
  databaseTarget,
  inNamespace,
  kubectlEnvironment,
  nodeByName,
  ovnRootAt,
  ovsEnvironment,
  RunPaths,
  readState,
  runThrough,
  type SandboxState,
  targetNamespace,
} from '../sandbox/index.ts';
import { ExitError } from './exit.ts';
import { requireRoot } from './require-root.ts';
import { addName, type NameOption } from './sandbox-name.ts';

/** Commands that run a program in a sandbox, or one of OVN's own tools on it. Exit code, input and output are its own. */
export function toolCommands(): readonly Command[] {
  return [
    execCommand(),
    kubectlCommand(),
    databaseTool('nbctl', 'ovn-nbctl', 'nb', 'show'),
    databaseTool('sbctl', 'ovn-sbctl', 'sb', 'list Chassis'),
    databaseTool('trace', 'ovn-trace', 'sb', `worker-1 'inport == "shop_web" && icmp4'`),
    nodeTool('vsctl', 'ovs-vsctl', 'show', socket => [`--db=${socket}`]),
    nodeTool('ofctl', 'ovs-ofctl', 'dump-flows br-int', () => ['-O', 'OpenFlow15']),
    nodeTool('appctl', 'ovs-appctl', 'coverage/show', () => []),
  ];
}

function execCommand(): Command {
  return addName(new Command('exec'))
    .description('Runs a program in the network namespace of a pod or a host.')
    .argument('<target>', 'NAMESPACE/POD, a node, "outside" or "central"')
    .argument('<command...>', 'the program and its arguments, after --')
    .addHelpText(
      'after',
      '\nExample:\n  kube-northbound sandbox exec shop-frontend/web-1 -- ping -c 3 10.128.2.5',
    )
    .action(async (target: string, [file, ...args]: [string, ...string[]], options: NameOption) => {
      const { paths, state } = sandboxOf(options);
      await through(runThrough(inNamespace(targetNamespace(target, state, paths), { file, args })));
    });
}

function kubectlCommand(): Command {
  return passingOn('kubectl', 'Runs kubectl on a sandbox that has Kubernetes.', 'get pods --output wide')
    .argument('[arguments...]', 'arguments of kubectl')
    .action(async (args: readonly string[], options: NameOption) => {
      const { paths, state } = sandboxOf(options);
      if (!state.kubernetes)
        throw new ExitError(
          1,
          `the sandbox ${options.name} has no Kubernetes: "sandbox up --kubernetes" gives one`,
        );
      const command = { file: join(state.kubernetes.bin, 'kubectl'), args };
      await through(runThrough(command, kubectlEnvironment(paths.kubeconfig('admin'))));
    });
}

function databaseTool(name: string, program: string, database: 'nb' | 'sb', example: string): Command {
  return passingOn(
    name,
    `Runs ${program} on the sandbox. Options of ${program} come after those of ours.`,
    example,
  )
    .argument('[arguments...]', `arguments of ${program}`)
    .action(async (args: readonly string[], options: NameOption) => {
      const { paths, state } = sandboxOf(options);
      const root = await ovnRootAt(state.ovnRoot);
      await through(
        runThrough(root.command(program, [`--db=${databaseTarget(database, state, paths)}`, ...args])),
      );
    });
}

function nodeTool(
  name: string,
  program: string,
  example: string,
  options: (socket: string) => readonly string[],
): Command {
  return passingOn(name, `Runs ${program} on a node.`, `worker-1 ${example}`)
    .argument('<node>', 'a node')
    .argument('[arguments...]', `arguments of ${program}`)
    .action(async (nodeName: string, args: readonly string[], given: NameOption) => {
      const { paths, state } = sandboxOf(given);
      const { id } = nodeByName(nodeName, state);
      const root = await ovnRootAt(state.ovnRoot);
      const own = options(`unix:${paths.ovsdb(id)}`);
      await through(runThrough(root.command(program, [...own, ...args]), ovsEnvironment(paths.node(id))));
    });
}

/** A command whose first argument or unknown option ends our own options. */
function passingOn(name: string, description: string, example: string): Command {
  return addName(new Command(name))
    .description(description)
    .passThroughOptions()
    .allowUnknownOption()
    .addHelpText('after', `\nExample:\n  kube-northbound sandbox ${name} ${example}`);
}

function sandboxOf(options: NameOption): { readonly paths: RunPaths; readonly state: SandboxState } {
  requireRoot();
  const paths = new RunPaths(options.name);
  return { paths, state: readState(paths) };
}

/** The program has said what there is to say. */
async function through(running: Promise<number>): Promise<void> {
  const code = await running;
  if (code !== 0) throw new ExitError(code);
}
