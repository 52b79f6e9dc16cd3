import { ApiError, type KubernetesApi } from '../api/types.ts';
import { listOf, objectAt, textOf } from '../facts/raw.ts';
import { formatResource, selectorsOf, type WatchedResource } from './resource.ts';

/** Objects in one page: at most so many are in memory at once. */
const PAGE = '500';

/**
 * Lists the resource as it is now, page by page; all pages are of one moment. Resolves to the version to watch from.
 * Rejects with ApiError, with status 410 where the server has forgotten that moment meanwhile.
 */
export async function listPages(
  api: KubernetesApi,
  resource: WatchedResource,
  signal: AbortSignal,
  onItem: (item: unknown) => void,
): Promise<string> {
  let from: string | undefined;
  for (;;) {
    const page = await api.request({
      method: 'GET',
      path: resource.path,
      // No resourceVersion: the newest state, never one from before an outage.
      query: { ...selectorsOf(resource), limit: PAGE, ...(from !== undefined && { continue: from }) },
      signal,
    });
    const metadata = objectAt(page, 'metadata');
    const version = textOf(metadata, 'resourceVersion', 'metadata');
    if (version === undefined) {
      throw new ApiError(`the list of ${formatResource(resource)} has no resourceVersion`, { status: 0 });
    }
    for (const item of listOf(page, 'items', 'list')) onItem(item);
    from = textOf(metadata, 'continue', 'metadata');
    if (from === undefined) return version;
  }
}
