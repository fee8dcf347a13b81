import assert from "node:assert/strict";
import { resources, type TokenReview } from "../../k8s/mod.ts";
import { RefusedError } from "../../net/mod.ts";
import type { Agent } from "../agent_object.ts";
import { podOfReview, proveAgent } from "./agent_proof.ts";
import { FakeCluster, podOf, refused } from "./cluster_fake.ts";

type Status = NonNullable<TokenReview["status"]>;

const good: Status = {
  authenticated: true,
  audiences: ["manager.tp.dev"],
  user: {
    username: "system:serviceaccount:shop:default",
    extra: {
      "authentication.kubernetes.io/pod-name": ["new"],
      "authentication.kubernetes.io/pod-uid": ["uid-new"],
    },
  },
};

const reviews: { what: string; status: Status | undefined; proves: boolean }[] =
  [
    { what: "a pod's", status: good, proves: true },
    { what: "no answer", status: undefined, proves: false },
    {
      what: "one that is forged",
      status: { authenticated: false, error: "invalid bearer token" },
      proves: false,
    },
    {
      what: "one that has expired",
      status: {
        authenticated: false,
        error: "service account token has expired",
      },
      proves: false,
    },
    {
      what: "one for the API server",
      status: { ...good, audiences: ["https://kubernetes.default.svc"] },
      proves: false,
    },
    {
      what: "one without audiences, of a server that ignores them",
      status: { authenticated: true, user: good.user! },
      proves: false,
    },
    {
      what: "a person's",
      status: { ...good, user: { ...good.user, username: "alice" } },
      proves: false,
    },
    {
      what: "one that is bound to no pod",
      status: { ...good, user: { ...good.user, extra: {} } },
      proves: false,
    },
  ];
for (const { what, status, proves } of reviews) {
  Deno.test(`a token proves ${proves ? "its" : "no"} pod: ${what}`, () => {
    const pod = { namespace: "shop", name: "new", uid: "uid-new" };
    assert.deepEqual(podOfReview(status), proves ? pod : undefined);
  });
}

function tokenOf(claims: unknown): string {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  const payload = bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  return `x.${payload}.y`;
}

/** Pod "new" of Deployment "web", by way of a ReplicaSet. */
function shop(status: Status = good): FakeCluster {
  const cluster = new FakeCluster();
  cluster.onCreate = (resource, object) => {
    assert.equal(resource.plural, "tokenreviews");
    const { audiences } = (object as TokenReview).spec;
    assert.deepEqual(audiences, ["manager.tp.dev"]);
    object.metadata.name = "review";
    Object.assign(object, { status });
  };
  cluster.put(resources.pods, podOf("new"));
  cluster.put(resources.replicaSets, {
    metadata: {
      ...{ name: "web-1", namespace: "shop", uid: "uid-web-1" },
      ownerReferences: [{
        ...{ apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        ...{ uid: "uid-web", controller: true },
      }],
    },
  });
  return cluster;
}

const web = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const agent = {
  metadata: {},
  spec: { workload: { ...web, uid: "uid-web" } },
} as Agent;
const token = tokenOf({ exp: 1_800_000_000 });

function prove(
  { cluster = shop(), isInstalled = true, token: shown = token }: {
    cluster?: FakeCluster;
    isInstalled?: boolean;
    token?: string;
  } = {},
) {
  return proveAgent(shown, {
    api: cluster,
    findAgent: ({ namespace, workload }) =>
      isInstalled && namespace === "shop" && workload.kind === "Deployment" &&
        workload.name === "web"
        ? agent
        : undefined,
  });
}

Deno.test("proveAgent() tells the pod, its workload, and until when", async () => {
  assert.deepEqual(await prove(), {
    pod: {
      ...{ namespace: "shop", name: "new", uid: "uid-new" },
      ...{ createdAt: "2026-01-01T00:00:00Z", workload: "shop/deployment-web" },
    },
    expiresAt: 1_800_000_000_000,
  });
});

function other(change: (cluster: FakeCluster) => void): FakeCluster {
  const cluster = shop();
  change(cluster);
  return cluster;
}

const forbidden: { what: string; options: Parameters<typeof prove>[0] }[] = [
  { what: "no token", options: { token: "" } },
  { what: "no expiry", options: { token: tokenOf({}) } },
  {
    what: "a token without end",
    options: { token: `${token}${"x".repeat(9000)}` },
  },
  {
    what: "a token for others",
    options: { cluster: shop({ authenticated: false }) },
  },
  {
    what: "a pod that is gone",
    options: {
      cluster: other((one) =>
        one.remove(resources.pods, { namespace: "shop", name: "new" })
      ),
    },
  },
  {
    what: "another pod of the name",
    options: {
      cluster: other((one) => {
        const pod = podOf("new");
        pod.metadata.uid = "another";
        one.put(resources.pods, pod);
      }),
    },
  },
  {
    what: "a pod that has ended",
    options: {
      cluster: other((one) =>
        one.put(resources.pods, podOf("new", { status: { phase: "Failed" } }))
      ),
    },
  },
  {
    what: "a workload without an Agent object",
    options: { isInstalled: false },
  },
  {
    what: "a pod that merely names its controller like a ReplicaSet's",
    options: {
      cluster: other((one) => {
        const set = { namespace: "shop", name: "web-1" };
        const metadata = { ...set, uid: "forged" };
        one.put(resources.replicaSets, { metadata });
      }),
    },
  },
  {
    what: "a workload of the name that is another one",
    options: {
      cluster: other((one) => {
        const set = one.peek(resources.replicaSets, {
          ...{ namespace: "shop", name: "web-1" },
        })!;
        set.metadata.ownerReferences![0]!.uid = "another";
        one.put(resources.replicaSets, set);
      }),
    },
  },
];
for (const { what, options } of forbidden) {
  Deno.test(`proveAgent() forbids ${what}`, async () => {
    await assert.rejects(
      prove(options),
      (error) => error instanceof RefusedError && error.refusal === "forbidden",
    );
  });
}

Deno.test("proveAgent() says that the API server does not answer", async () => {
  const cluster = shop();
  cluster.onCreate = (resource) => {
    throw refused(resource, 500, "InternalError");
  };
  await assert.rejects(
    prove({ cluster }),
    (error) => error instanceof RefusedError && error.refusal === "failed",
  );
});
