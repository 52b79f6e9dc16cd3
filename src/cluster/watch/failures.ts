import { ApiError } from '../api/types.ts';
import type { Raw } from '../facts/raw.ts';

/** The error that an ERROR event tells: its object is a Status. */
export function errorOfStatus(status: Raw): ApiError {
  const { code, reason, message } = status;
  return new ApiError(typeof message === 'string' && message !== '' ? message : 'the watch failed', {
    status: typeof code === 'number' ? code : 0,
    ...(typeof reason === 'string' && { reason }),
  });
}

/**
 * Whether only a new list helps: the version is too old (410), or newer than anything that the server knows, as after
 * a restored backup. With a continued list, its snapshot is gone.
 */
export function needsList(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { status, reason, message } = error;
  return (
    status === 410 || reason === 'Expired' || reason === 'Gone' || /too large resource version/i.test(message)
  );
}

/** How a watch ended that did not end in order. */
export function endOf(error: unknown): 'expired' | 'silent' | 'broken' {
  if (needsList(error)) return 'expired';
  return error instanceof ApiError && error.reason === SILENT ? 'silent' : 'broken';
}

/** The reason of the error for a watch on which nothing comes any more. */
export const SILENT = 'Silence';
