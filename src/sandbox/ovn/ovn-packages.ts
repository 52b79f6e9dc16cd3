/** Releases of Debian whose OVN a sandbox can run: 23.03 in bookworm, 25.03 in trixie, what is newest in sid. */
export const OVN_RELEASES = ['trixie', 'bookworm', 'sid'] as const;
export type OvnRelease = (typeof OVN_RELEASES)[number];

const PROGRAMS = ['openvswitch-switch', 'openvswitch-common', 'ovn-central', 'ovn-host', 'ovn-common'];

/** Every library that the programs load, so that they depend on nothing of the machine but its kernel. */
const LIBRARIES = [
  'libc6',
  'libcap-ng0',
  'libunbound8',
  'libnuma1',
  'libxdp1',
  'libbpf1',
  'libudev1',
  'libnghttp2-14',
  'libgmp10',
  'zlib1g',
  'libzstd1',
  'libcap2',
  'libgcc-s1',
];

/** Libraries that were renamed when Debian widened time_t to 64 bits. */
const RENAMED = {
  before: ['libssl3', 'libevent-2.1-7', 'libhogweed6', 'libnettle8', 'libelf1'],
  after: ['libssl3t64', 'libevent-2.1-7t64', 'libhogweed6t64', 'libnettle8t64', 'libelf1t64'],
};

/** The Debian packages that make a whole OVN. */
export function ovnPackages(release: OvnRelease): readonly string[] {
  return [...PROGRAMS, ...LIBRARIES, ...(release === 'bookworm' ? RENAMED.before : RENAMED.after)];
}

/** How Debian names a processor's library folder and its loader of programs. */
export interface Platform {
  readonly triplet: string;
  readonly loader: string;
}

/** The platform of a Node `process.arch`; undefined for those that we do not know. */
export function platformOf(arch: string): Platform | undefined {
  if (arch === 'x64') return { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' };
  if (arch === 'arm64') return { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' };
  return undefined;
}
