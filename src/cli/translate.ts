import { Command, Option } from 'commander';
import { ManifestSource } from '../cluster/manifest-source.ts';
import { loadConfig } from '../config/index.ts';
import { Translation } from '../master/translation.ts';
import {
  readNorthboundSchema,
  requireNorthbound,
  rowsAsJson,
  rowsAsText,
  rowsAsTransaction,
} from '../northbound/index.ts';
import { createLog } from '../observe/log.ts';
import { addLogLevel, type LogLevelOption } from './log-option.ts';
import { concludeRun } from './report.ts';
import { collect } from './source-options.ts';

interface Options extends LogLevelOption {
  readonly file: readonly string[];
  readonly config?: string;
  readonly schema?: string;
  readonly format: 'text' | 'json' | 'ovsdb';
  readonly strict?: boolean;
}

const EXAMPLE = `
Example:
  kube-northbound translate -f examples/first-light --format json`;

export function translateCommand(): Command {
  const command = new Command('translate').description('Prints the rows that manifests become.');
  return addLogLevel(command)
    .addOption(
      new Option(
        '-f, --file <path>',
        'file or folder of manifests, - for standard input; may be given several times',
      )
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .option('--config <file>', 'configuration (YAML)')
    .option('--schema <file>', 'OVN_Northbound schema to write for (default: version 7.0.0)')
    .addOption(
      new Option('--format <format>', 'text to read and compare, json for programs, ovsdb to transact')
        .choices(['text', 'json', 'ovsdb'])
        .default('text'),
    )
    .addOption(new Option('--output <format>', 'the same as --format').choices(['text', 'json']))
    .option(
      '--strict',
      'refuse policies that are not enforced yet, and exit with 1 where an object is refused',
    )
    .addHelpText('after', EXAMPLE)
    .action((options: Options & { output?: 'text' | 'json' }) =>
      run({ ...options, format: options.output ?? options.format }),
    );
}

async function run(options: Options): Promise<void> {
  const config = loadConfig(options.config);
  const schema = readNorthboundSchema(options.schema);
  requireNorthbound(schema);
  const source = new ManifestSource({ paths: options.file, log: createLog({ level: options.logLevel }) });
  const { objects, problems, synced } = await source.read();
  const strict = options.strict ?? false;
  const translation = new Translation(config, { strict });
  translation.apply({ put: objects, deleted: [] });
  const summary = {
    refused: [...problems, ...translation.refused()],
    unenforced: translation.unenforced(),
    ignored: translation.ignored(),
    pending: translation.pending(),
    complete: synced,
  };
  switch (options.format) {
    case 'text':
      process.stdout.write(rowsAsText(translation.wish));
      break;
    case 'json': {
      const { refused, pending, ignored } = summary;
      writeJson({ rows: rowsAsJson(translation.wish), refused, pending, ignored });
      break;
    }
    case 'ovsdb':
      writeJson(rowsAsTransaction(translation.wish, schema, config.installation));
  }
  concludeRun(summary, strict);
}

function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
