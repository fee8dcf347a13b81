/** An API server that cannot be reached, or does not take us, is told before root is needed. */
import assert from "node:assert/strict";
import {
  type Cluster,
  Laptop,
  must,
  openCluster,
  outside,
} from "../cluster/mod.ts";
import { failToConnect, type Told } from "../support/failing.ts";
import {
  type Access,
  adminAccess,
  writeAccess,
} from "../support/kubeconfig_file.ts";

interface Case {
  name: string;
  change: (access: Access, cluster: Cluster) => Access | Promise<Access>;
  cause: RegExp;
  remedy: RegExp;
}

/** How long a server that does not answer may keep its user waiting. */
const longestMs = 15_000;

const network = /Check the network.*VPN.*address in the kubeconfig/;
const certificate = /certificate-authority.*tls-server-name/;

/** The administrator's access with some fields of its cluster set, or removed where they are undefined. */
function withCluster(fields: Record<string, unknown>) {
  return (access: Access): Access => ({
    ...access,
    cluster: { ...access.cluster, ...fields },
  });
}

function withServer(server: string) {
  return withCluster({ server });
}

const cases: Case[] = [
  {
    name: "a server that refuses connections",
    change: withServer(`https://${outside.web.ipv4}:6443`),
    cause: /"https:\/\/[\d.]+:6443": connection refused$/,
    remedy: network,
  },
  {
    name: "a server whose name does not resolve",
    change: withServer("https://cluster.example.test:6443"),
    cause: /"https:\/\/cluster.example.test:6443": its name does not resolve$/,
    remedy: network,
  },
  {
    name: "a server that no route leads to",
    change: withServer("https://203.0.113.1:6443"),
    cause: /"https:\/\/203.0.113.1:6443": no route to it$/,
    remedy: network,
  },
  {
    name: "a server that is no API server",
    change: withServer(`http://${outside.web.ipv4}`),
    cause: /: what answers at "\S+" is no API server \(HTTP status 404\)$/,
    remedy: network,
  },
  {
    name: "a certificate of an authority that the kubeconfig does not name",
    change: async (access) =>
      withCluster({ "certificate-authority-data": await otherAuthority() })(
        access,
      ),
    cause: /not signed by the authority that the kubeconfig names$/,
    remedy: certificate,
  },
  {
    name: "a certificate of an authority that the laptop does not know",
    change: withCluster({ "certificate-authority-data": undefined }),
    cause: /not signed by the authority/,
    remedy: certificate,
  },
  {
    name: "a certificate for another name",
    change: withCluster({ "tls-server-name": "other.example.test" }),
    cause: /its certificate is for another name$/,
    remedy: certificate,
  },
  {
    name: "a token that the server does not know",
    change: (access) => ({ ...access, user: { token: "wrong" } }),
    cause: /^Cannot use context "test": .* \(401 Unauthorized\)$/,
    remedy: /log in to the cluster again/,
  },
  {
    name: "no credentials at all",
    change: (access) => ({ ...access, user: {} }),
    cause: /^Cannot use context "test": .* no credentials/,
    remedy: /log in to the cluster again/,
  },
];

/** A certificate authority that nothing is signed by, as the kubeconfig holds it. */
async function otherAuthority(): Promise<string> {
  const pem = await must([
    ...["openssl", "req", "-x509", "-nodes", "-newkey", "ec"],
    ...["-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", "/dev/null"],
    ...["-subj", "/CN=other", "-days", "2"],
  ]);
  return btoa(pem);
}

/** Root was not asked for, nor any daemon started. */
function assertNoRootNeeded({ progress }: Told): void {
  assert.doesNotMatch(progress, /Daemon|root/);
}

Deno.test("an API server that cannot be used is told with its reason", async (t) => {
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  const admin = await adminAccess(cluster);
  for (const { name, change, cause, remedy } of cases) {
    await t.step(name, async () => {
      const path = await writeAccess(laptop, await change(admin, cluster));
      const told = await failToConnect(laptop, ["--kubeconfig", path]);
      assert.match(told.cause, cause);
      assert.match(told.remedy, remedy);
      assertNoRootNeeded(told);
    });
  }
});

Deno.test({
  name: "an API server behind a black hole is given up in bounded time",
  ignore: Deno.env.has("TP_TEST_KUBECONFIG"),
  fn: async () => {
    await using laptop = await Laptop.open(await openCluster());
    await using _hole = await laptop.severCluster();
    const told = await failToConnect(laptop);
    assert.match(told.cause, /no answer within \d+ s$/);
    assert.match(told.remedy, network);
    assert.match(told.progress, /^Waiting for API server https:\S+\.\.\.$/m);
    assert.ok(told.durationMs < longestMs, `${told.durationMs} ms`);
    assertNoRootNeeded(told);
  },
});
