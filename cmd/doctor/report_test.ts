import assert from "node:assert/strict";
import type { Status } from "../../connector/api.ts";
import type { ConnectionFacts, Facts } from "./check.ts";
import { checks, reportOf, reportText } from "./report.ts";

const name = "kubernetes.default.svc.cluster.local";

/** A laptop on which all is well. */
function well(): Facts & { connection: ConnectionFacts } {
  const status = {
    user_daemon: { running: true, status: "Connected" },
    root_daemon: {
      device: "tp0",
      dns: {
        vif_address: "198.18.0.2",
        edge: "/etc/resolv.conf",
        edge_reason: "it is a plain file",
        refused_zones: [],
        nameservers: ["192.0.2.53"],
      },
      subnets: ["10.96.0.0/16"],
      virtual_subnets: [],
      virtual_ranges: [],
      skipped_subnets: [],
    },
    traffic_manager: {
      round_trip_ms: 12,
      session: { state: "connected", carriers: [{}, {}] },
    },
  } as unknown as Status;
  return {
    laptop: { connector: "runs", leftover: false, tun: "usable", root: "sudo" },
    cluster: {
      kubeconfig: {
        value: { context: "c", server: "https://api.test/", namespace: "n" },
      },
      apiServer: { value: { version: "v1.34.0", answerMs: 3 } },
      clockLeadMs: 400,
      largeQuestion: { value: { bytes: 16384 } },
      missingRights: [],
      manager: { value: { state: "ready", namespace: "ambassador" } },
      session: {
        value: {
          ...{ pod: "traffic-manager-0", version: "1.0.0" },
          ...{ ownVersion: "1.0.0", transport: "websocket", roundTripMs: 2 },
        },
      },
    },
    connection: {
      status,
      missingRoutes: [],
      resolverFile: "# of tp\nnameserver 198.18.0.2\nnameserver 192.0.2.53\n",
      name,
      byResolver: { addresses: ["10.96.0.1"] },
      byQuery: { addresses: ["10.96.0.1"] },
    },
  };
}

type World = ReturnType<typeof well>;
const dnsOf = (world: World) => world.connection.status.root_daemon!;

/** What is wrong, and which check says so how. */
const worlds: {
  wrong: string;
  make: (world: World) => void;
  says: [id: string, state: "warning" | "failed", found: RegExp];
}[] = [
  {
    wrong: "a killed daemon's leftovers",
    make: ({ laptop }) => laptop.leftover = true,
    says: ["leftover", "failed", /killed/],
  },
  {
    wrong: "a connector that is stopped",
    make: ({ laptop }) =>
      laptop.connector = { failure: "it is stopped", remedy: "kill -CONT 7" },
    says: ["connector", "failed", /stopped/],
  },
  {
    wrong: "no TUN device",
    make: ({ laptop }) => laptop.tun = "missing",
    says: ["tun", "failed", /\/dev\/net\/tun is missing/],
  },
  {
    wrong: "a TUN device that a container's rules keep from root",
    make: ({ laptop }) => laptop.tun = "denied",
    says: ["tun", "failed", /not even root may open/],
  },
  {
    wrong: "a container without CAP_NET_ADMIN",
    make: ({ laptop }) => laptop.tun = "no-capability",
    says: ["tun", "failed", /CAP_NET_ADMIN/],
  },
  {
    wrong: "a TUN device that does not open",
    make: ({ laptop }) => laptop.tun = { failure: "it is busy" },
    says: ["tun", "failed", /it is busy/],
  },
  {
    wrong: "a system that tp was never run on",
    make: ({ laptop }) => laptop.tun = "built-in",
    says: ["tun", "warning", /macOS.* never run/],
  },
  {
    wrong: "no sudo",
    make: ({ laptop }) => laptop.root = "none",
    says: ["root", "warning", /no sudo/],
  },
  {
    wrong: "a place where nobody becomes root",
    make: ({ laptop }) => laptop.root = "forbidden",
    says: ["root", "warning", /no_new_privs/],
  },
  {
    wrong: "a kubeconfig that is not there",
    make: ({ cluster }) =>
      cluster.kubeconfig = {
        failure: { kind: "kubeconfig-missing", cause: "Cannot find it" },
      },
    says: ["kubeconfig", "failed", /Cannot find it/],
  },
  {
    wrong: "an API server that is away",
    make: ({ cluster }) =>
      cluster.apiServer = {
        failure: {
          ...{ kind: "api-unreachable", cause: "Cannot reach it" },
          details: ["it refuses"],
        },
      },
    says: ["api-server", "failed", /Cannot reach it; it refuses/],
  },
  {
    wrong: "a clock that is a minute ahead",
    make: ({ cluster }) => cluster.clockLeadMs = 60_000,
    says: ["clock", "warning", /60 s ahead of/],
  },
  {
    wrong: "a clock that is an hour late",
    make: ({ cluster }) => cluster.clockLeadMs = -3_600_000,
    says: ["clock", "failed", /3600 s behind/],
  },
  {
    wrong: "a network that loses large packets",
    make: ({ cluster }) =>
      cluster.largeQuestion = {
        failure: { kind: "api-unreachable", cause: "no answer in time" },
      },
    says: ["large-packets", "failed", /no answer in time/],
  },
  {
    wrong: "a network that loses the packets of a handshake",
    make: ({ cluster }) => {
      cluster.onlySmallAnswers = true;
      delete cluster.largeQuestion;
    },
    says: ["large-packets", "failed", /nothing by TLS/],
  },
  {
    wrong: "rights that are missing",
    make: ({ cluster }) =>
      cluster.missingRights = ['Missing in namespace "ambassador": get pods'],
    says: ["rights", "failed", /get pods/],
  },
  {
    wrong: "no manager",
    make: ({ cluster }) => {
      cluster.manager = {
        value: { state: "missing", namespace: "ambassador" },
      };
      delete cluster.session;
    },
    says: ["manager", "warning", /none in namespace "ambassador"/],
  },
  {
    wrong: "a manager that is not ready",
    make: ({ cluster }) => {
      cluster.manager = { value: { state: "coming", namespace: "ambassador" } };
      delete cluster.session;
    },
    says: ["manager", "warning", /not ready/],
  },
  {
    wrong: "a manager of another release",
    make: ({ cluster: { session } }) =>
      (session as { value: { version: string } }).value.version = "0.9.0",
    says: ["manager", "warning", /version 0\.9\.0; this is 1\.0\.0/],
  },
  {
    wrong: "a port-forward that does not come about",
    make: ({ cluster }) =>
      cluster.session = {
        failure: { kind: "manager-unreachable", cause: "Cannot reach the pod" },
      },
    says: ["port-forward", "failed", /Cannot reach the pod/],
  },
  {
    wrong: "a session without a carrier",
    make: ({ connection }) =>
      Object.assign(connection.status.traffic_manager!.session, {
        ...{ state: "waiting", reason: "the network is away", carriers: [] },
      }),
    says: ["session", "failed", /the network is away/],
  },
  {
    wrong: "a slow network",
    make: ({ connection }) =>
      connection.status.traffic_manager!.round_trip_ms = 900,
    says: ["session", "warning", /900/],
  },
  {
    wrong: "a route that somebody takes away",
    make: ({ connection }) => connection.missingRoutes = ["10.96.0.0/16"],
    says: ["routes", "failed", /10\.96\.0\.0\/16: no route by tp0/],
  },
  {
    wrong: "a subnet that is the host's, too, and not routed",
    make: (world) =>
      dnsOf(world).skipped_subnets = [
        { subnet: "10.244.0.0/16", reason: "the host is there" },
      ],
    says: ["overlaps", "warning", /10\.244\.0\.0\/16 is not routed/],
  },
  {
    wrong: "virtual addresses that are used up",
    make: (world) =>
      dnsOf(world).virtual_ranges = [
        { range: "198.19.0.0/24", used: 254, size: 254 },
      ],
    says: ["overlaps", "failed", /198\.19\.0\.0\/24 full/],
  },
  {
    wrong: "a resolver file that a DHCP client wrote",
    make: ({ connection }) =>
      connection.resolverFile = "nameserver 192.0.2.53\n",
    says: ["resolver-file", "failed", /asks 192\.0\.2\.53 first/],
  },
  {
    wrong: "a host without a nameserver",
    make: (world) => dnsOf(world).dns.nameservers = [],
    says: ["resolver-file", "warning", /no nameserver of its own/],
  },
  {
    wrong: "a cluster's DNS that does not answer",
    make: ({ connection }) =>
      connection.byQuery = { failure: "no answer within 10 s" },
    says: ["dns-query", "failed", /no answer within 10 s/],
  },
  {
    wrong: "programs that do not ask DNS",
    make: ({ connection }) =>
      connection.byResolver = { failure: "there is no such name" },
    says: ["getaddrinfo", "failed", /there is no such name/],
  },
  {
    wrong: "programs that are told another address",
    make: ({ connection }) =>
      connection.byResolver = { addresses: ["192.0.2.7"] },
    says: ["getaddrinfo", "failed", /192\.0\.2\.7, the cluster's DNS at 10/],
  },
];

Deno.test("tp doctor finds nothing wrong where all is well, connected or not", () => {
  const report = reportOf(well());
  assert.deepEqual(
    report.checks.map(({ id, state }) => [id, state]),
    checks.map(({ id }) => [id, "ok"]),
  );
  assert.equal(report.ok, true);
  const { connection: _, ...apart } = well();
  const less = reportOf(apart);
  assert.equal(less.connected, false);
  assert.equal(less.checks.length, checks.length - 6);
  assert.match(reportText(less), /0 failed, 0 warnings, 11 ok; not connected/);
});

for (const { wrong, make, says: [id, state, found] } of worlds) {
  Deno.test(`tp doctor tells ${wrong}, and the remedy`, () => {
    const world = well();
    make(world);
    const report = reportOf(world);
    const told = report.checks.filter((one) => one.state !== "ok");
    const verdict = told.find((one) => one.id === id);
    assert.equal(verdict?.state, state);
    assert.match(verdict!.found, found);
    assert.ok(verdict!.remedy);
    assert.equal(report.ok, !told.some((one) => one.state === "failed"));
    assert.match(reportText(report), /\n {24}-> \S/);
  });
}

Deno.test("tp doctor does not blame /etc/nsswitch.conf where the resolver file is another's", () => {
  const world = well();
  world.connection.byResolver = { failure: "there is no such name" };
  const remedy = () =>
    reportOf(world).checks.find(({ id }) => id === "getaddrinfo")?.remedy;
  assert.match(remedy()!, /nsswitch/);
  world.connection.resolverFile = "nameserver 192.0.2.53\n";
  assert.equal(remedy(), "As above");
});

Deno.test("every check of tp doctor has a world in which it is not ok", () => {
  const covered = new Set(worlds.map(({ says: [id] }) => id));
  assert.deepEqual(
    checks.map(({ id }) => id).filter((id) => !covered.has(id)),
    [],
  );
});
