// deno-lint-ignore-file no-console -- its line is read by agent_intruder.ts
/**
 * Speaks to the manager's door for agents as whoever reaches it can: `agent_intruder_script.ts ADDRESS CA_PEM TARGETS`,
 * the last a JSON list of what it wants, one after the other, in one session. Prints a JSON list of what became of each.
 */
import { dialManager } from "../../agent/manager_dial.ts";
import { type AgentTarget, encodeAgentTarget } from "../../manager/api.ts";
import { RefusedError } from "../../net/mod.ts";
import { createIdentity, dialSession } from "../../tunnel/mod.ts";

const [address = "", authorities = "", targets = "[]"] = Deno.args;
const wanted: AgentTarget[] = JSON.parse(targets);

const session = await dialSession({
  product: "intruder",
  identity: await createIdentity(),
  dial: ({ signal }) => dialManager(address, { authorities, signal }),
  serve: (incoming) => incoming.refuse("unknown-target", "nothing"),
});
const outcomes: string[] = [];
for (const target of wanted) {
  try {
    const stream = await session.open(encodeAgentTarget(target));
    if (target.kind === "laptop") {
      await stream.write(
        new TextEncoder().encode("GET /who HTTP/1.0\r\n\r\n"),
      );
    }
    const buffer = new Uint8Array(4096);
    const read = await stream.read(buffer) ?? 0;
    outcomes.push(new TextDecoder().decode(buffer.subarray(0, read)));
    if (target.kind === "laptop") stream.reset();
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    outcomes.push(`${error.refusal}: ${error.message}`);
  }
}
console.log(JSON.stringify(outcomes));
Deno.exit();
