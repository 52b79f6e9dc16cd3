import { EndpointError } from './errors.ts';

/** Where one OVSDB server listens. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number };

const FORMS = 'use unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT, IPv6 addresses in brackets, several by commas';

/**
 * Reads addresses as ovn-nbctl(8) takes them. A port that is left out is `defaultPort` (6641 northbound, 6642
 * southbound, 6640 Open_vSwitch). Throws {@link EndpointError} for anything else.
 */
export function parseRemotes(text: string, options: { readonly defaultPort: number }): readonly Endpoint[] {
  return text.split(',').map(part => parseEndpoint(part.trim(), options.defaultPort));
}

/** The inverse of {@link parseRemotes} for one endpoint; messages name endpoints so. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host;
  return `${endpoint.kind}:${host}:${endpoint.port}`;
}

/**
 * The servers of one of OVN's databases where nobody named any, as ovn-nbctl(8) and ovn-sbctl(8) find them:
 * OVN_NB_DB or OVN_SB_DB, else the socket in OVN_RUNDIR or /var/run/ovn.
 */
export function defaultRemotes(
  database: 'nb' | 'sb',
  environment: Readonly<Record<string, string | undefined>>,
): readonly Endpoint[] {
  const northbound = database === 'nb';
  const text = environment[northbound ? 'OVN_NB_DB' : 'OVN_SB_DB'];
  if (text) return parseRemotes(text, { defaultPort: northbound ? 6641 : 6642 });
  const folder = environment.OVN_RUNDIR || '/var/run/ovn';
  return [{ kind: 'unix', path: `${folder}/ovn${database}_db.sock` }];
}

function parseEndpoint(text: string, defaultPort: number): Endpoint {
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(colon, 0));
  const rest = text.slice(colon + 1);
  switch (kind) {
    case 'unix':
      if (rest === '') throw nonsense(text, 'the path is missing');
      return { kind, path: rest };
    case 'tcp':
    case 'ssl':
      return { kind, ...parseHostAndPort(text, rest, defaultPort) };
    default:
      throw nonsense(text, 'it begins with none of unix:, tcp:, ssl:');
  }
}

function parseHostAndPort(text: string, rest: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+(?:%[^\]\s]+)?)\]|([^:[\]\s]+))(?::(.*))?$/.exec(rest);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) throw nonsense(text, 'there is no host in it');
  const digits = match?.[3];
  if (digits === undefined) return { host, port: defaultPort };
  const port = /^[0-9]{1,5}$/.test(digits) ? Number(digits) : 0;
  if (port < 1 || port > 65535) throw nonsense(text, 'the port must be a number from 1 to 65535');
  return { host, port };
}

function nonsense(text: string, reason: string): EndpointError {
  return new EndpointError(`"${text}" is no database address: ${reason}; ${FORMS}`);
}
