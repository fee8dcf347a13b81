/** `socket_holder.ts PORT ADDRESS…`: a holder of plain connections, in turn to each of the addresses. */
import { TcpConn } from "../../tcp/mod.ts";
import { hold } from "./holder.ts";

const [port, ...addresses] = Deno.args;
let opened = 0;
await hold({
  async stream() {
    const hostname = addresses[opened++ % addresses.length]!;
    return new TcpConn(await Deno.connect({ hostname, port: Number(port) }));
  },
});
