import { existsSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { type Access, AccessError, bearer } from './access.ts';
import { RotatingFile } from './rotating-file.ts';

/** Where the kubelet mounts a pod's service account (Kubernetes: "Accessing the Kubernetes API from a Pod"). */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The access that a pod has by its service account. Throws {@link AccessError} outside of a pod, and where the service
 * account's token is not mounted.
 */
export function inClusterAccess(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  folder: string = SERVICE_ACCOUNT,
): Access {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) {
    throw new AccessError(
      'not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; name a kubeconfig with --kubeconfig',
    );
  }
  const token = new RotatingFile(join(folder, 'token'), "the service account's token");
  const ca = new RotatingFile(join(folder, 'ca.crt'), "the cluster's CA certificate");
  token.read();
  ca.read();
  const namespaceFile = join(folder, 'namespace');
  return {
    server: new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`),
    who: "the pod's service account",
    namespace: existsSync(namespaceFile)
      ? new RotatingFile(namespaceFile, "the pod's namespace").read().toString('utf8').trim()
      : undefined,
    identify: async () => ({
      headers: bearer(token.read().toString('utf8')),
      tls: { ca: ca.read() },
    }),
    doubt: () => {
      token.forget();
      ca.forget();
    },
  };
}
