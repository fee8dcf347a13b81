/** Fires when this process is told to end. */
export function told(): AbortSignal {
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => abort.abort());
  }
  return abort.signal;
}
