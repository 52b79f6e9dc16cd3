import type { Raw } from '../facts/raw.ts';

/** A request to the API server. `path` starts with `/api` or `/apis`; a body is sent as JSON. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The form of the body; `application/json` where nothing else is said. A PATCH must say it. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
  /** How long the whole answer may take, in ms; 30 s where nothing is said. A stream has no such bound. */
  readonly timeout?: number;
}

/** The Kubernetes API: JSON in, JSON out. Nothing is retried here. */
export interface KubernetesApi {
  /** Resolves to the body. Rejects with {@link ApiError} where the server refuses or cannot be reached. */
  request(request: ApiRequest): Promise<Raw>;
  /**
   * Resolves when the server has begun to answer; the chunks are the body as it comes, and end with it. Rejects as
   * {@link request} does; iterating throws where the connection breaks.
   */
  stream(request: ApiRequest): Promise<AsyncIterable<Uint8Array>>;
}

/** Why a request failed: what the server's Status says, or that there was no answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status; 0 where the server was not reached or broke off. */
  readonly status: number;
  /** The Status' `reason`, such as `Conflict`, `Expired` or `NotFound`; '' where there is none. */
  readonly reason: string;
  /** What the server asks us to wait, in ms (Retry-After); undefined where it does not. */
  readonly retryAfter: number | undefined;

  constructor(
    message: string,
    options: {
      readonly status: number;
      readonly reason?: string;
      readonly retryAfter?: number;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.status = options.status;
    this.reason = options.reason ?? '';
    this.retryAfter = options.retryAfter;
  }
}
