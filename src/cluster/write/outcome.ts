import { ApiError } from '../api/types.ts';

/**
 * What a failed write means. `later`: the server is in trouble or asks us to wait, so that nothing at all is sent for a
 * while. `again`: this object has changed meanwhile, or our sight of it is old. `gone`: there is no such object.
 * `refused`: it will not be better next time.
 */
export type Failure =
  | { readonly kind: 'later'; readonly retryAfter: number }
  | { readonly kind: 'again' | 'gone' | 'refused' };

/** Judges what a request was rejected with (Kubernetes API conventions, "HTTP Status codes"). */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof ApiError)) return { kind: 'refused' };
  const { status, retryAfter = 0 } = error;
  if (status === 0 || status === 408 || status === 429 || status >= 500) return { kind: 'later', retryAfter };
  // A token that has run out is renewed by whoever sends: this may be a moment too early.
  if (status === 401) return { kind: 'later', retryAfter };
  if (status === 403 && isPassing(error)) return { kind: 'later', retryAfter };
  if (status === 409) return { kind: 'again' };
  if (status === 404 || status === 410) return { kind: 'gone' };
  return { kind: 'refused' };
}

/**
 * Whether a 403 is of the moment: an API server that starts knows neither its roles nor its admission policies yet, and
 * a right that is missing may be granted. It is missing for all objects.
 */
function isPassing({ message }: ApiError): boolean {
  return / cannot \S+ resource /.test(message) || /not yet ready to handle request/.test(message);
}
