/**
 * `session_listener.ts NAMESPACE ADDRESS HOST PORT…`: listens at ports of HOST and carries each connection through a
 * session with the manager in NAMESPACE to ADDRESS: all that `tp` does, but for the TUN device.
 */
import { loadAccess, openApi } from "../../k8s/mod.ts";
import { clientPort, managerPod } from "../../manager/api.ts";
import { openManager } from "../../manager/client.ts";
import { type Conn, Ip, pipe } from "../../net/mod.ts";
import { createIdentity, dialSession } from "../../tunnel/mod.ts";

const [namespace = "", address = "", hostname = "", ...ports] = Deno.args;

const env = Deno.env.toObject();
await using api = openApi(await loadAccess({ env }));
const session = await dialSession({
  dial: ({ signal }) =>
    api.portForward({
      namespace,
      pod: managerPod(0),
      port: clientPort,
      signal,
    }),
  identity: await createIdentity(),
  product: "bench",
});
const manager = openManager(session);
const target = Ip.parse(address);
for (const port of ports) void listen(Number(port));
await Deno.stdout.write(new TextEncoder().encode("ready\n"));
const end = await session.ended;
throw new Error(`the session ended: ${end.detail}`);

async function listen(port: number): Promise<void> {
  for await (const conn of Deno.listen({ hostname, port })) {
    void carry(conn, port);
  }
}

async function carry(conn: Deno.TcpConn, port: number): Promise<void> {
  conn.setNoDelay(true);
  try {
    await pipe(asFlow(conn), await manager.dial(target, port));
  } catch {
    conn.close();
  }
}

function asFlow(conn: Deno.TcpConn): Conn {
  let isClosed = false;
  const close = () => {
    if (!isClosed) conn.close();
    isClosed = true;
  };
  return {
    read: (into) => conn.read(into),
    write: (bytes) => conn.write(bytes),
    closeWrite: () => conn.closeWrite(),
    close,
    reset: close,
  };
}
