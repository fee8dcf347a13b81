import { runManager } from "../manager/mod.ts";

export default async function run(): Promise<void> {
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => abort.abort());
  }
  await runManager({ env: Deno.env.toObject(), signal: abort.signal });
}
