/** Resolves once `holds`; rejects after `timeoutMs`, with what was waited for. */
export async function poll(holds: () => boolean, what: () => string, timeoutMs = 10_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what()}`);
    await new Promise(resolve => setTimeout(resolve, 2));
  }
}
