/** `session_holder.ts PORT ADDRESS…`: a holder of sessions with the manager of this host, and of streams through them. */
import { clientPort } from "../../manager/api.ts";
import { type Manager, openManager } from "../../manager/client.ts";
import { Ip } from "../../net/mod.ts";
import { TcpConn } from "../../tcp/mod.ts";
import { createIdentity, dialSession } from "../../tunnel/mod.ts";
import { hold } from "./holder.ts";

const [port, ...texts] = Deno.args;
const addresses = texts.map((text) => Ip.parse(text));
const managers: Manager[] = [];
let opened = 0;

/** A laptop: it has a session, and follows what the manager tells of the cluster. */
async function openSession(): Promise<void> {
  const to = { hostname: "127.0.0.1", port: clientPort };
  const session = await dialSession({
    dial: async () => new TcpConn(await Deno.connect(to)),
    product: "bench",
    identity: await createIdentity(),
  });
  const manager = openManager(session);
  const worlds = manager.world();
  await worlds.next();
  void (async () => {
    for await (const _ of worlds);
  })();
  managers.push(manager);
}

await hold({
  async sessions(count) {
    while (managers.length < count) await openSession();
  },
  stream() {
    const n = opened++;
    const manager = managers[n % managers.length]!;
    return manager.dial(addresses[n % addresses.length]!, Number(port));
  },
});
