import { Command, Option } from 'commander';
import {
  isAllAnswered,
  matrixText,
  RunPaths,
  readState,
  runMatrix,
  sandboxStatus,
} from '../sandbox/index.ts';
import { ExitError } from './exit.ts';
import { requireRoot } from './require-root.ts';
import { addName, type NameOption } from './sandbox-name.ts';

/** `kube-northbound sandbox matrix`: who reaches whom. */
export function matrixCommand(): Command {
  return addName(new Command('matrix'))
    .description(
      'Sends packets between all pods, and from each node to its own pods. Exit code 1: some were lost.',
    )
    .addOption(new Option('--output <format>', 'how').choices(['text', 'json']).default('text'))
    .addHelpText('after', '\nExample:\n  kube-northbound sandbox matrix --name shop')
    .action(async ({ name, output }: NameOption & { readonly output: string }) => {
      requireRoot();
      const paths = new RunPaths(name);
      const status = sandboxStatus(readState(paths), paths);
      const results = await runMatrix(status);
      const ok = isAllAnswered(results);
      const colour = process.stdout.isTTY === true;
      process.stdout.write(
        output === 'json'
          ? `${JSON.stringify({ ok, results }, null, 2)}\n`
          : matrixText(status, results, colour),
      );
      if (!ok) throw new ExitError(1, 'not every pod was reached');
    });
}
