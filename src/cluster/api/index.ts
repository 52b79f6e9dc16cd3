/**
 * The way to the Kubernetes API: {@link openKubernetes} gives a client, which takes requests ({@link ApiRequest}) and
 * throws {@link ApiError}. A kubeconfig or a service account that cannot be used is an `AccessError`, at the start or later.
 */
export { type KubernetesAccess, openKubernetes } from './client.ts';
export type { KubernetesClient } from './http.ts';
export { ApiError, type ApiRequest, type KubernetesApi } from './types.ts';
