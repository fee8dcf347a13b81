import { openProxy } from "../connector/mod.ts";
import type { Context } from "./_context.ts";
import { formatEnv } from "./_env_syntax.ts";
import { openOutboundInterruptibly } from "./_outbound.ts";
import { proxyEnvironment } from "./_proxy_environment.ts";
import type { ProxyFlags } from "./proxy.ts";

export default async function run(
  this: Context,
  flags: ProxyFlags,
): Promise<void> {
  const { process } = this;
  const say = (line: string) => process.stderr.write(line + "\n");
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  await using outbound = await openOutboundInterruptibly(flags, {
    ...{ process, say },
  });
  if (outbound === undefined) return;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => resolve());
  }
  await using proxy = openProxy(outbound);
  say(`Proxy into ${outbound.description}; Ctrl-C ends it`);
  const { text } = formatEnv(proxyEnvironment(proxy), flags.envSyntax);
  process.stdout.write(text);
  await ended;
}
