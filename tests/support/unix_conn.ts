import type { Conn } from "../../net/mod.ts";

/** A connection to a Unix socket. */
export async function dialUnix(path: string): Promise<Conn> {
  const conn = await Deno.connect({ transport: "unix", path });
  const close = () => {
    try {
      conn.close();
    } catch { /* it is */ }
  };
  return {
    read: (into) => conn.read(into),
    write: (bytes) => conn.write(bytes),
    closeWrite: () => conn.closeWrite(),
    close,
    reset: close,
  };
}
