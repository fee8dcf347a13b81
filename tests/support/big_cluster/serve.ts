/**
 * `serve.ts SHAPE`: the fake API server as a process. It says `ready`, then does what each line of its standard input
 * says, answers each with a line, and ends with its input.
 */
// deno-lint-ignore-file no-console -- its output is what it answers
import { FakeApiServer } from "../../../k8s/_api_server_fake.ts";
import { BigApi } from "./answers.ts";
import { lines } from "./lines.ts";
import { places, type Shape } from "./shape.ts";

/** What the process is told. */
export type Order =
  | { readonly order: "counts" }
  | {
    readonly order: "touch" | "add" | "remove";
    readonly kind: "namespaces" | "services" | "pods" | "nodes";
    readonly count: number;
  };

function obey(api: BigApi, order: Order): unknown {
  if (order.order === "counts") return api.takeCounts();
  const collection = api.collections[order.kind]!;
  if (order.order === "touch") collection.touch(order.count);
  for (let n = 0; n < order.count; n++) {
    if (order.order === "add") collection.add();
    if (order.order === "remove") collection.remove();
  }
  return {};
}

if (import.meta.main) {
  const shape: Shape = JSON.parse(Deno.args[0]!);
  const api = new BigApi(shape);
  await using _server = FakeApiServer.start(api.handler, {
    hostname: "0.0.0.0",
    port: places.apiServer.port,
  });
  console.log("ready");
  for await (const line of lines(Deno.stdin.readable)) {
    console.log(JSON.stringify(obey(api, JSON.parse(line))));
  }
  Deno.exit(0);
}
