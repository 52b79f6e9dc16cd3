import process from 'node:process';

/** What a helping process tells the one that has started it. */
export type HelperMessage<Report> = 'ready' | { readonly report: Report };

/** The whole of a helping process: does its work, reports, ends. */
export function runHelper<Report>(work: (ready: () => void) => Promise<Report>): void {
  const tell = (message: HelperMessage<Report>, then = () => {}) => process.send?.(message, then);
  // Whoever started this one may be interrupted.
  process.on('disconnect', () => process.exit(1));
  work(() => tell('ready')).then(
    report => tell({ report }, () => process.exit()),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
}
