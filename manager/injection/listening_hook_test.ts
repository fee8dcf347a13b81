import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { listeningHook } from "./listening_hook.ts";

const hostname = "127.0.0.1";

/** Runs the hook of these ports; `change` alters its script. */
function run(
  ports: Parameters<typeof listeningHook>[0],
  change = (script: string) => script,
): Promise<Deno.CommandOutput> {
  const { command } = listeningHook(ports)!.exec as { command: string[] };
  const [shell = "", flag = "", script = ""] = command;
  const args = [flag, change(script)];
  return new Deno.Command(shell, { args, stdout: "piped" }).output();
}

/** Looks a few times only. */
function hasty(script: string): string {
  const changed = script.replace(/-ge \d+/, "-ge 2");
  assert.notEqual(changed, script);
  return changed;
}

function freePort(): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

Deno.test("the hook ends when the agent listens at all its ports, of IPv4, of IPv6 and of UDP", async () => {
  const later = freePort();
  using ipv6 = Deno.listen({ hostname: "::1", port: 0 });
  const udp = createSocket("udp4");
  using _udp = { [Symbol.dispose]: () => udp.close() };
  await new Promise<void>((bound) => udp.bind(0, hostname, bound));
  const ports = [
    { protocol: "TCP" as const, agentPort: ipv6.addr.port },
    {
      protocol: "UDP" as const,
      agentPort: udp.address().port,
    },
    { protocol: "TCP" as const, agentPort: later },
  ];
  const waiting = run(ports);
  const first = await Promise.race([
    waiting,
    new Promise((resolve) => setTimeout(resolve, 300, "waits")),
  ]);
  assert.equal(first, "waits");
  using _ = Deno.listen({ hostname, port: later });
  assert.equal((await waiting).code, 0);
});

Deno.test("the hook tells that the agent does not listen, whoever is connected from or to its port", async () => {
  using server = Deno.listen({ hostname, port: 0 });
  using client = await Deno.connect({ hostname, port: server.addr.port });
  using _ = await server.accept();
  const { port } = client.localAddr as Deno.NetAddr;
  const { code, stdout } = await run(
    [{ protocol: "TCP", agentPort: port }],
    hasty,
  );
  assert.equal(code, 1);
  assert.match(new TextDecoder().decode(stdout), /does not listen after 60 s/);
});

Deno.test("nobody waits for an agent that listens nowhere, nor where sockets cannot be seen", async () => {
  assert.equal(listeningHook([]), undefined);
  const port = [{ protocol: "TCP" as const, agentPort: freePort() }];
  const blind = (script: string) =>
    script.replaceAll("/proc/net/", "/proc/none/");
  assert.equal((await run(port, blind)).code, 0);
});
