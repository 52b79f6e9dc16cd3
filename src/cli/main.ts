import { Command, CommanderError } from 'commander';
import { ExitError } from './exit.ts';
import { masterCommand } from './master.ts';
import { nodeCommand } from './node.ts';
import { sandboxCommand } from './sandbox.ts';
import { translateCommand } from './translate.ts';
import { version } from './version.ts';

/** Exit codes of every command: the words of the README's table. */
const FAILED = 1;
const USAGE = 2;

const EXAMPLE = `
Examples:
  kube-northbound translate -f examples/first-light
  kube-northbound sandbox up --manifests examples/first-light
  kube-northbound COMMAND --help`;

function program(): Command {
  return new Command('kube-northbound')
    .description('Turns a Kubernetes cluster into a network on OVN.')
    .version(version(), '--version', 'print the version')
    .helpCommand(false)
    .enablePositionalOptions()
    .addCommand(translateCommand())
    .addCommand(masterCommand())
    .addCommand(nodeCommand())
    .addCommand(sandboxCommand())
    .addHelpText('after', EXAMPLE);
}

/** Makes every command report instead of exiting, so that one place decides the exit code, and in one voice. */
function reportErrors(command: Command): Command {
  const outputError = (text: string, write: (text: string) => void) =>
    write(text.replace(/^error: /, 'kube-northbound: '));
  command.exitOverride().configureOutput({ outputError });
  for (const child of command.commands) reportErrors(child as Command);
  return command;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    await reportErrors(program()).parseAsync(argv as string[]);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE;
    if (error instanceof ExitError) {
      if (error.message !== '') process.stderr.write(`kube-northbound: ${error.message}\n`);
      return error.exitCode;
    }
    process.stderr.write(`kube-northbound: ${error instanceof Error ? error.message : String(error)}\n`);
    return FAILED;
  }
}

// Whoever reads our output may have had enough (`| head`): that is no failure.
process.stdout.on('error', error => {
  if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await main(process.argv);
