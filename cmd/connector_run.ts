import { runConnector } from "../connector/mod.ts";

export default async function run(): Promise<void> {
  const abort = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => abort.abort());
  }
  await runConnector({ signal: abort.signal });
}
