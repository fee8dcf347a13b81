import assert from "node:assert/strict";
import type { RequestHead } from "../http/mod.ts";
import type { AgentPort, Rule } from "../manager/api.ts";
import { Destinations, type DestinationsOptions } from "./destinations.ts";
import { rule } from "./manager_fake.ts";
import { RuleBook } from "./rule_book.ts";

Deno.test("Destinations keeps nothing of a rule that has ended, and all of one that stands", () => {
  const port = { port: 8080, protocol: "TCP" } as AgentPort;
  const book = new RuleBook();
  let version = 0;
  const tell = (...rules: Rule[]) =>
    book.tell({ version: ++version, manager: "m-0", rules });
  const destinations = new Destinations(
    { port, book } as unknown as DestinationsOptions,
  );
  const route = () => {
    const { destination, taps } = destinations.route({} as RequestHead);
    return [destination, ...taps];
  };
  const ports = [port];
  const all = rule("all", { ports });
  const tap = rule("tap", { mode: "wiretap", ports });
  tell(all, tap);
  const first = route();
  assert.deepEqual(route(), first);
  tell(all, tap, rule("other", { ports }));
  route().forEach((one, i) => assert.equal(one, first[i]));
  tell();
  assert.deepEqual(route(), [destinations.app]);
  tell(all, tap);
  route().forEach((one, i) => assert.notEqual(one, first[i]));
});
