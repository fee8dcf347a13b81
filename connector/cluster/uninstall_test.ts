import assert from "node:assert/strict";
import { type ConnectedPlace, usualNamespace } from "./uninstall.ts";

const access = {
  ...{ context: "work", namespace: "of-context" },
  server: new URL("https://10.0.0.1:6443/gateway"),
};
const connected: ConnectedPlace = {
  ...{ context: "work", namespace: "of-connection" },
  server: "https://10.0.0.1:6443/gateway",
};

const places: {
  what: string;
  connected: ConnectedPlace | undefined;
  namespace: string;
}[] = [
  { what: "nothing", connected: undefined, namespace: "of-context" },
  { what: "the same cluster", connected, namespace: "of-connection" },
  {
    what: "another context",
    connected: { ...connected, context: "home" },
    namespace: "of-context",
  },
  {
    what: "a context of the same name elsewhere",
    connected: { ...connected, server: "https://10.0.0.2:6443" },
    namespace: "of-context",
  },
];
for (const { what, connected, namespace } of places) {
  Deno.test(`usualNamespace() is "${namespace}" for who is connected with ${what}`, () => {
    assert.equal(usualNamespace(access, connected), namespace);
  });
}

Deno.test("usualNamespace() takes a server without a path as the connection tells it", () => {
  const server = new URL("https://10.0.0.1:6443");
  const told = { ...connected, server: "https://10.0.0.1:6443" };
  assert.equal(usualNamespace({ ...access, server }, told), "of-connection");
});
