import { isIP } from 'node:net';

/** Where a server listens. */
export interface ListenAddress {
  /** Undefined: on every address of the machine. */
  readonly host: string | undefined;
  /** 0: one that is free. */
  readonly port: number;
}

/**
 * Reads `ADDRESS:PORT`: `127.0.0.1:9409`, `[::1]:9409`, or `:9409` for every address. `0` alone is undefined: no server.
 * Throws where it is none of these.
 */
export function parseListenAddress(text: string): ListenAddress | undefined {
  if (text === '0') return undefined;
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const isV6 = bracketed !== undefined && isIP(bracketed) === 6;
  const isV4 = plain !== undefined && (plain === '' || isIP(plain) === 4);
  if (digits === undefined || port > 65_535 || !(isV6 || isV4)) {
    throw new Error(
      `"${text}" is no address to listen at: give ADDRESS:PORT such as 127.0.0.1:9409 or [::1]:9409, or 0 for none`,
    );
  }
  return { host: bracketed ?? (plain === '' ? undefined : plain), port };
}

/** As {@link parseListenAddress} reads it. */
export function formatListenAddress({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
