import { type OvnRelease, ovnRoot } from '../../src/sandbox/ovn-root.ts';

/** The variable that says why a release cannot be had; empty where it can. */
const variable = (release: OvnRelease) => `OVN_MISSING_${release.toUpperCase()}`;

/** Why a release of OVN cannot be had on this machine, or undefined. Known before the tests of a file are collected. */
export function missing(release: OvnRelease): string | undefined {
  return process.env[variable(release)] || undefined;
}

/** Fetches every release of OVN that tests use, before any of them starts. */
export default async function fetchOvn(): Promise<void> {
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  for (const release of ['trixie', 'bookworm', 'sid'] as const) {
    const reason = await ovnRoot(release, silent).then(
      () => '',
      (error: Error) => error.message,
    );
    process.env[variable(release)] = reason;
  }
}
