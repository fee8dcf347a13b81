import assert from "node:assert/strict";
import type { Status } from "../connector/api.ts";
import { interceptStatus } from "../connector/status.ts";
import { pseudonymizer } from "./gather/pseudonyms.ts";
import { namesOf } from "./gather_logs_run.ts";

Deno.test("tp gather-logs hides names of what it could not read, too", () => {
  const status = {
    user_daemon: {
      ...{ kubernetes_context: "prod", namespace: "shop" },
      kubernetes_server: "https://api.corp.test:6443",
      ...interceptStatus([]),
      intercepts: [{ name: "cart", namespace: "checkout" }],
    },
  } as unknown as Status;
  const problem = 'the manager\'s pods: User "anna@corp.test" cannot get ' +
    'pods in namespace "tools" of prod, shop, cart, checkout, api.corp.test';
  const hide = pseudonymizer(namesOf(status, {
    request: { managerNamespace: "tools" },
    problems: [problem],
  }));
  const text = hide(problem);
  for (
    const name of ["anna", "corp", "tools", "prod", "shop", "cart", "checkout"]
  ) assert.doesNotMatch(text, new RegExp(`\\b${name}\\b`), text);
  assert.match(text, /User "user-\d"/);
});
