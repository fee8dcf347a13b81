import { openProxy } from "../connector/mod.ts";
import type { Context } from "./_context.ts";
import { formatEnv } from "./_env_syntax.ts";
import { Interrupt, interruptedExitCode } from "./_interrupt.ts";
import { endSignals, openOutboundInterruptibly } from "./_outbound.ts";
import { proxyEnvironment } from "./_proxy_environment.ts";
import type { ProxyFlags } from "./proxy.ts";

export default async function run(
  this: Context,
  flags: ProxyFlags,
): Promise<void> {
  const { process } = this;
  const say = (line: string) => process.stderr.write(line + "\n");
  using interrupt = new Interrupt(endSignals);
  await using outbound = await openOutboundInterruptibly(flags, {
    ...{ interrupt, say },
  });
  if (outbound === undefined) {
    process.exitCode = interruptedExitCode;
    return;
  }
  await using proxy = openProxy(outbound);
  say(`Proxy into ${outbound.description}; Ctrl-C ends it`);
  const { text } = formatEnv(proxyEnvironment(proxy), flags.envSyntax);
  process.stdout.write(text);
  if (interrupt.signal.aborted) return;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  interrupt.signal.addEventListener("abort", () => resolve());
  await ended;
}
