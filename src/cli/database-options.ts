import type { Command } from 'commander';
import { defaultRemotes, type Endpoint, parseRemotes, type TlsOptions } from '../ovsdb-client/index.ts';
import { UsageError } from './exit.ts';

/** The databases of OVN, with the port that ovn-nbctl(8) and ovn-sbctl(8) give them. */
const databases = {
  nb: { flag: '--nb <address>', name: 'OVN_Northbound', variable: 'OVN_NB_DB', port: 6641 },
  sb: { flag: '--sb <address>', name: 'OVN_Southbound', variable: 'OVN_SB_DB', port: 6642 },
} as const;

export type DatabaseName = keyof typeof databases;

export interface DatabaseOptions {
  readonly nb?: string;
  readonly sb?: string;
  readonly privateKey?: string;
  readonly certificate?: string;
  readonly caCert?: string;
  readonly tlsCheckNames?: boolean;
}

/** Adds the address options of `names`, and the TLS options of ovn-nbctl(8), to a command. */
export function addDatabaseOptions(command: Command, names: readonly DatabaseName[]): Command {
  for (const name of names) {
    const { flag, name: database, variable } = databases[name];
    const form = 'unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT, several by commas';
    command.option(flag, `${database}: ${form} (default: ${variable}, else OVN's own socket)`);
  }
  return command
    .option('--private-key <file>', 'private key for ssl: addresses (PEM)')
    .option('--certificate <file>', 'certificate for ssl: addresses (PEM)')
    .option('--ca-cert <file>', 'certificate of the authority that signed the server (PEM)')
    .option('--tls-check-names', "also check the server's name; certificates of OVN clusters carry none");
}

/** The servers of one database. Throws UsageError where the address makes no sense. */
export function remotesOf(options: DatabaseOptions, name: DatabaseName): readonly Endpoint[] {
  const { port } = databases[name];
  const text = options[name];
  try {
    const remotes =
      text === undefined ? defaultRemotes(name, process.env) : parseRemotes(text, { defaultPort: port });
    if (remotes.some(remote => remote.kind === 'ssl') && tlsOf(options) === undefined) {
      throw new UsageError('ssl: addresses need --private-key, --certificate and --ca-cert');
    }
    return remotes;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`--${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The files of the TLS options, as the OVSDB client takes them; undefined where none is given. */
export function tlsOf(options: DatabaseOptions): TlsOptions | undefined {
  const { privateKey, certificate, caCert, tlsCheckNames } = options;
  if (privateKey === undefined && certificate === undefined && caCert === undefined) return undefined;
  if (privateKey === undefined || certificate === undefined || caCert === undefined) {
    throw new UsageError('--private-key, --certificate and --ca-cert go together');
  }
  return { privateKey, certificate, caCert, checkNames: tlsCheckNames ?? false };
}
