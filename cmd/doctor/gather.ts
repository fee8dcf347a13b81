/** The facts of this laptop, the way to the cluster and the connection, each from who knows it. */
import { delimiter } from "node:path";
import { lookup } from "node:dns/promises";
import type { Status } from "../../connector/api.ts";
import { examineCluster, missingRoutes } from "../../connector/mod.ts";
import { leftover } from "../../daemon/client.ts";
import { findConnector, mean } from "../_connector.ts";
import { isOfPlace } from "../_meant_connection.ts";
import { requestOf } from "../_connect.ts";
import { connectedPlace } from "../_connected_place.ts";
import { CommandError } from "../_error.ts";
import { rootTools } from "../_root.ts";
import type { DoctorFlags } from "../doctor.ts";
import type { ConnectionFacts, Facts, Lookup } from "./check.ts";
import { lookAtTun } from "./tun.ts";

/** How long a name may take to be answered. */
const nameMs = 10_000;

export async function gatherFacts(
  flags: DoctorFlags,
  { signal }: { signal: AbortSignal },
): Promise<Facts> {
  const { connector, status } = await connectorFacts(flags);
  const request = await requestOf(connectedPlace(status, flags));
  const [isLeft, tun, root, cluster, connection] = await Promise.all([
    leftover(),
    lookAtTun(),
    rootFacts(),
    examineCluster(request, { signal }),
    status && connectionFacts(status),
  ]);
  return {
    laptop: {
      ...{ connector, leftover: isLeft, root, tun },
    },
    cluster,
    ...connection ? { connection } : {},
  };
}

async function connectorFacts({ use, ...flags }: DoctorFlags): Promise<
  {
    connector: Facts["laptop"]["connector"];
    /** Of the connection that is meant. */
    status?: Status;
  }
> {
  try {
    using running = await findConnector();
    if (running === undefined) return { connector: "none" };
    const isFit = isOfPlace(flags);
    const isMeant = mean(running, {
      ...{ action: "check the connection", use, isFit },
    });
    return {
      connector: "runs",
      ...isMeant ? { status: await running.client.status() } : {},
    };
  } catch (error) {
    const { message } = error as Error;
    const remedy = error instanceof CommandError ? error.remedy : "`tp quit`";
    return { connector: { failure: message, remedy } };
  }
}

async function rootFacts(): Promise<Facts["laptop"]["root"]> {
  if (Deno.uid() === 0) return "root";
  const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
  if (/^NoNewPrivs:\s*1$/m.test(status)) return "forbidden";
  const places = (Deno.env.get("PATH") ?? "").split(delimiter);
  for (const tool of rootTools) {
    const found = places.map((place) => exists(`${place}/${tool}`));
    if ((await Promise.all(found)).includes(true)) return tool;
  }
  return "none";
}

async function connectionFacts(status: Status): Promise<ConnectionFacts> {
  const root = status.root_daemon;
  const name = `kubernetes.default.svc.${
    root?.dns.cluster_domain ?? "cluster.local"
  }`;
  const [missing, resolverFile, byResolver, byQuery] = await Promise.all([
    root ? missingRoutesOf(root) : [],
    Deno.readTextFile("/etc/resolv.conf").catch(() => ""),
    byGetaddrinfo(name),
    byQueryTo(root?.dns.vif_address ?? "", name),
  ]);
  return {
    ...{ status, missingRoutes: missing, resolverFile },
    ...{ name, byResolver, byQuery },
  };
}

function missingRoutesOf(
  { device, subnets, virtual_ranges: ranges, dns }: NonNullable<
    Status["root_daemon"]
  >,
): Promise<string[]> {
  return missingRoutes({
    device,
    subnets: [...subnets, ...ranges.map(({ range }) => range)],
    addresses: [dns.vif_address],
  });
}

/** As programs of this laptop look names up: by the C library. */
function byGetaddrinfo(name: string): Promise<Lookup> {
  return answered(
    lookup(name, { all: true }).then((all) =>
      all.map(({ address }) => address)
    ),
  );
}

function byQueryTo(server: string, name: string): Promise<Lookup> {
  const query = (type: "A" | "AAAA") =>
    // A final dot: no search list applies.
    Deno.resolveDns(`${name}.`, type, {
      nameServer: { ipAddr: server, port: 53 },
    });
  return answered(
    Promise.allSettled([query("A"), query("AAAA")]).then((all) => {
      const found = all.flatMap((one) =>
        one.status === "fulfilled" ? one.value : []
      );
      const [first] = all;
      if (found.length === 0 && first.status === "rejected") throw first.reason;
      return found;
    }),
  );
}

async function answered(found: Promise<string[]>): Promise<Lookup> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`no answer within ${nameMs / 1000} s`)),
    nameMs,
  );
  try {
    const addresses = await Promise.race([found, late.promise]);
    return addresses.length > 0 ? { addresses } : { failure: "no address" };
  } catch (error) {
    return { failure: lookupFailure(error as Error & { code?: string }) };
  } finally {
    clearTimeout(timer);
  }
}

/** Why a name was not found, as far as the C library, or Deno's resolver, says. */
export function lookupFailure(
  { message, code }: Pick<Error, "message"> & { code?: string },
): string {
  if (code === "ENOTFOUND") return "there is no such name";
  if (code === "EAI_AGAIN") return "no nameserver answers for it";
  const [line = ""] = message.split("\n");
  return /no records found/.test(line) ? "no records come" : line.trim();
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
