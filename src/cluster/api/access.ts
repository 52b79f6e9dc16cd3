/** Where the API server is and who we are to it: what a kubeconfig or a pod's service account says. */
export interface Access {
  readonly server: URL;
  /** The kubeconfig's user or the service account, as messages name it. */
  readonly who: string;
  /** The namespace of the context or of the pod; undefined where none is named. */
  readonly namespace: string | undefined;
  /** What the next request shows. Rejects with {@link AccessError}. */
  identify(): Promise<Identity>;
  /** The server did not know what {@link identify} gave: look again before the next request. */
  doubt(): void;
}

/** How we show who we are, and how we know the server. */
export interface Identity {
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
}

/** As `node:tls` takes it; PEM. */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** There is no usable way to the API server. The message names the file and the field, and what to do. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
}

/** Who we are, by a token. */
export function bearer(token: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${token.trim()}` };
}
