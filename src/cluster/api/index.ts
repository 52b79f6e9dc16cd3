/**
 * The way to the Kubernetes API: {@link openKubernetes} gives a client, which takes requests ({@link ApiRequest}) and
 * throws {@link ApiError}; {@link AccessError} is for kubeconfigs and service accounts that cannot be used.
 */
export { AccessError } from './access.ts';
export { type KubernetesAccess, openKubernetes } from './client.ts';
export type { KubernetesClient } from './http.ts';
export { ApiError, type ApiRequest, type KubernetesApi } from './types.ts';
