import { fileURLToPath } from 'node:url';

/** A file of this package, by its path from the package's folder. This module is as deep in `dist/` as in `src/`. */
export function packageFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** A script of this room, by its path below this module: the build copies it along. */
export function scriptFile(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** The CNI plugin as the build bundles it. */
export function cniPlugin(): string {
  return packageFile('dist/kube-northbound-cni');
}
