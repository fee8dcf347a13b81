import assert from "node:assert/strict";
import type {
  InterceptInfo,
  InterceptRequest,
  OwnIntercept,
} from "../../connector/api.ts";
import { planApply, planDelete } from "./plan.ts";
import { attachmentLines } from "./report.ts";

function request(more: Partial<InterceptRequest> = {}): InterceptRequest {
  return {
    ...{ name: "web", mode: "intercept", ports: [], address: "127.0.0.1" },
    ...{ toPod: [], mount: { readOnly: false } },
    ...{ localOnly: false, isHeld: false, ...more },
  };
}

function own(
  more: Partial<InterceptRequest> = {},
  info: Partial<InterceptInfo> = {},
): OwnIntercept {
  return {
    request: request({ namespace: "shop", ...more }),
    info: { disposition: "ACTIVE", ...info } as InterceptInfo,
  };
}

function plan(wanted: InterceptRequest, present: readonly OwnIntercept[]) {
  return planApply([{ request: wanted, env: {} }], {
    ...{ present, namespace: "shop" },
  });
}

const header = (value: string) => ({
  combine: "all" as const,
  headers: [{ name: "x-user", kind: "exact" as const, value }],
});

const table: [
  what: string,
  wanted: Partial<InterceptRequest>,
  present: OwnIntercept[],
  action: string,
  drift: string[],
][] = [
  ["what is not there", {}, [], "create", []],
  ["what is there under another name", {}, [own({ name: "x" })], "create", []],
  ["what is there", {}, [own()], "keep", []],
  ["a namespace that is said", { namespace: "shop" }, [own()], "keep", []],
  ["a workload that is said", { workload: "web" }, [own()], "keep", []],
  [
    "another name of the address",
    { address: "localhost" },
    [own()],
    "keep",
    [],
  ],
  ["who is served later", { isServedLater: true }, [own()], "keep", []],
  [
    "one that waits for its pods",
    {},
    [own({}, { disposition: "WAITING" })],
    "keep",
    [],
  ],
  [
    "one that has failed",
    {},
    [own({}, { disposition: "AGENT_ERROR", message: "no pods" })],
    "re-create",
    ["state: AGENT_ERROR: no pods -> ACTIVE"],
  ],
  [
    "another header",
    { match: header("ben") },
    [own({ match: header("anna") })],
    "re-create",
    ["httpHeaders: x-user=anna -> x-user=ben"],
  ],
  [
    "a header more and a port more",
    {
      match: header("ben"),
      ports: [{ laptop: 1 }, { laptop: 2, wanted: "b" }],
    },
    [own({ ports: [{ laptop: 1 }] })],
    "re-create",
    ["ports: 1 -> 1, 2:b", "httpHeaders: none -> x-user=ben"],
  ],
  [
    "everything",
    {
      ...{ mode: "wiretap", namespace: "n", workload: "w", service: "s" },
      ...{ container: "c", ports: [{ laptop: 1, protocol: "UDP" }] },
      ...{ address: "::1", toPod: [{ port: 2, protocol: "TCP" }] },
      match: {
        combine: "any",
        headers: [{ name: "a", kind: "regex", value: "b" }],
        path: { kind: "prefix", value: "/p" },
        methods: ["GET", "PUT"],
      },
      mount: { mountPoint: "/m", readOnly: true },
    },
    [own()],
    "re-create",
    [
      ...["type: intercept -> wiretap", "namespace: shop -> n"],
      ...["workload: web -> w", "service: default -> s"],
      ...["container: default -> c", "ports: default -> 1/UDP"],
      ...["address: 127.0.0.1 -> ::1", "httpHeaders: none -> a=/b/"],
      ...["httpPath: none -> prefix /p", "httpMethods: none -> GET, PUT"],
      ...["httpAny: false -> true", "toPod: none -> 2/TCP"],
      "mount: true -> /m:ro",
    ],
  ],
  [
    "local-only of what was in the cluster",
    { localOnly: true },
    [own()],
    "re-create",
    ["localOnly: false -> true"],
  ],
];

for (const [what, wanted, present, action, drift] of table) {
  Deno.test(`planApply() of ${what}: ${action}`, () => {
    const { steps: [step], held } = plan(request(wanted), present);
    assert.equal(step!.action, action);
    assert.deepEqual(
      step!.drift.map(({ field, from, to }) => `${field}: ${from} -> ${to}`),
      drift,
    );
    assert.deepEqual(held, []);
  });
}

Deno.test("planApply() keeps the order of the file, and names what a running command has", () => {
  const declared = ["c", "a", "b"].map((name) => ({
    ...{ request: request({ name }), env: {} },
  }));
  const present = [own({ name: "a", isHeld: true }), own({ name: "b" })];
  const { steps, held } = planApply(declared, { present, namespace: "shop" });
  assert.deepEqual(
    steps.map(({ request, action }) => `${request.name} ${action}`),
    ["c create", "a keep", "b keep"],
  );
  assert.deepEqual(held, ["a"]);
});

Deno.test("planApply() has a later one yield the laptop's port that it gives up", () => {
  const at = (name: string, port: number) =>
    own({ name, ports: [{ laptop: port }] }, {
      ports: [{ container_port: 80, protocol: "TCP", target_port: port }],
    });
  const present = [at("a", 1), at("b", 2), at("c", 3)];
  const declared = ["a 2", "b 1", "c 3", "d 3"].map((text) => {
    const [name = "", port] = text.split(" ");
    const ports = [{ laptop: Number(port) }];
    return { request: request({ name, ports }), env: {} };
  });
  const { steps } = planApply(declared, { present, namespace: "shop" });
  assert.deepEqual(
    steps.map(({ request, action, yielding }) => [
      ...[request.name, action, ...yielding],
    ]),
    [["a", "re-create", "b"], ["b", "re-create"], ["c", "keep"], [
      ...["d", "create"],
    ]],
  );
});

Deno.test("planDelete() goes backwards, and leaves what is not declared", () => {
  const declared = ["a", "b", "c"].map((name) => ({
    ...{ request: request({ name }), env: {} },
  }));
  const present = [own({ name: "a" }), own({ name: "c" }), own({ name: "x" })];
  const { steps, others } = planDelete(declared, present);
  assert.deepEqual(
    steps.map(({ request, action }) => `${request.name} ${action}`),
    ["c remove", "b none", "a remove"],
  );
  assert.deepEqual(others, ["x"]);
});

Deno.test("attachmentLines() tells what was done, field by field", () => {
  assert.deepEqual(
    attachmentLines({
      ...{ name: "web", type: "intercept", status: "re-created" },
      drift: [{ field: "ports", from: "1", to: "2" }],
      handler: "restarted",
    }),
    ["intercept web: re-created", "  ports: 1 -> 2", "  handler: restarted"],
  );
});
