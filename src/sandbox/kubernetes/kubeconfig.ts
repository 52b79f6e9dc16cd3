import { readFileSync, writeFileSync } from 'node:fs';
import type { KeyPair } from './certificates.ts';

/** How a client says who it is. */
export type Credentials = { readonly token: string } | KeyPair;

/** Writes a kubeconfig that needs no other file. JSON is YAML. */
export function writeKubeconfig(
  file: string,
  options: { readonly server: string; readonly authority: string; readonly credentials: Credentials },
): void {
  const { server, authority, credentials } = options;
  const user =
    'token' in credentials
      ? { token: credentials.token }
      : {
          'client-certificate-data': base64(credentials.certificate),
          'client-key-data': base64(credentials.key),
        };
  const name = 'sandbox';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  writeFileSync(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}

function base64(file: string): string {
  return readFileSync(file).toString('base64');
}
