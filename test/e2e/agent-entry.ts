/** The node command alone, so that the tests of the agent need no build of the whole program. */
import { nodeCommand } from '../../src/cli/node.ts';

nodeCommand()
  .parseAsync(process.argv)
  .catch(error => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error?.exitCode ?? 1;
  });
