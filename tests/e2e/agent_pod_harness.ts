// deno-lint-ignore-file no-console
/** What runs in the namespaces of `agent_pod_test.ts`: the app of a pod, and clients. */
import { createSocket } from "node:dgram";

/** UDP has no refusal that is heard everywhere: after so long there is no answer. */
const silenceMs = 500;

const [role, ...args] = Deno.args;
if (role === "app") await serve(args);
else console.log(await ask(args));
Deno.exit();

/** Answers "app" on a TCP and a UDP port of each of the pod's addresses. */
async function serve([tcp, udp, ...addresses]: string[]): Promise<void> {
  for (const hostname of addresses) {
    const listener = Deno.listen({ hostname, port: Number(tcp) });
    void (async () => {
      for await (const conn of listener) {
        await conn.write(new TextEncoder().encode("app"));
        conn.close();
      }
    })();
    const socket = createSocket(hostname.includes(":") ? "udp6" : "udp4");
    socket.on("message", (_, { port, address }) => {
      socket.send("app", port, address);
    });
    await new Promise<void>((resolve) =>
      socket.bind(Number(udp), hostname, resolve)
    );
  }
  console.log("ready");
  await new Promise(() => {});
}

async function ask([protocol, hostname, port]: string[]): Promise<string> {
  return protocol === "tcp"
    ? await askTcp(hostname!, Number(port))
    : await askUdp(hostname!, Number(port));
}

async function askTcp(hostname: string, port: number): Promise<string> {
  try {
    using conn = await Deno.connect({ hostname, port });
    const buffer = new Uint8Array(10);
    const read = await conn.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, read ?? 0));
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return "refused";
    throw error;
  }
}

async function askUdp(hostname: string, port: number): Promise<string> {
  const socket = createSocket(hostname.includes(":") ? "udp6" : "udp4");
  const answer = Promise.withResolvers<string>();
  socket.on("message", (message) => answer.resolve(String(message)));
  socket.send("hi", port, hostname);
  setTimeout(() => answer.resolve("silence"), silenceMs);
  return await answer.promise;
}
