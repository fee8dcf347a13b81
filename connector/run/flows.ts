import { decodeTarget } from "../../manager/api.ts";
import { pipe, pipeDatagrams } from "../../net/mod.ts";
import { refusalOfError } from "../../tcp/mod.ts";
import type { Incoming } from "../../tunnel/mod.ts";
import type { Dials } from "./dials.ts";

/** Dials for one flow of the process inside and joins the two; a refusal is passed on. Never rejects. */
export async function answerFlow(
  incoming: Incoming,
  dials: Dials,
): Promise<void> {
  const { signal, datagrams } = incoming;
  const target = decodeTarget(incoming.target);
  try {
    if (target?.kind === "tcp" && !datagrams) {
      const conn = await dials.dial(target, { signal });
      await pipe(conn, incoming.accept());
    } else if (target?.kind === "udp" && datagrams) {
      const { source } = target;
      const flow = await dials.dialDatagrams(target, {
        ...{ signal },
        ...source ? { source } : {},
      });
      await pipeDatagrams(flow, incoming.acceptDatagrams());
    } else if (target?.kind === "echo" && datagrams) {
      const flow = await dials.dialEchoes(target.ip, { signal });
      await pipeDatagrams(flow, incoming.acceptDatagrams());
    } else incoming.refuse("unknown-target", "Nothing else is dialled here");
  } catch (error) {
    const { refusal, message } = refusalOfError(error);
    incoming.refuse(refusal, message);
  }
}
