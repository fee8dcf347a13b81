/** Runs the scenarios that it is told, one by one, in the world of `vpn_world.ts`. Answers each by a line of JSON. */
import { TextLineStream } from "./vpn_lines.ts";
import { protocolScenarios } from "./vpn_protocols.ts";
import { scenarios } from "./vpn_scenarios.ts";
import { openWorld } from "./vpn_world.ts";

const known = { ...scenarios, ...protocolScenarios };
const world = await openWorld();
const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const name of lines) {
  const answer = await known[name]!(world).then(
    (figure) => ({ figure }),
    (error) => ({ error: error instanceof Error ? error.stack : `${error}` }),
  );
  // deno-lint-ignore no-console
  console.log(JSON.stringify(answer));
}
await world.vpn.stop();
// What is left running here would keep the process, and the test would see it hang.
