import { compareSubnets, Ip, Subnet } from "../net/mod.ts";

/** What the manager sees of the cluster. */
export interface World {
  /** As in `cluster.local`, without a final dot. */
  readonly clusterDomain: string;
  /** In the order of the alphabet; of a view of single namespaces, those of them that there are. */
  readonly namespaces: readonly string[];
  /** Of the Services and pods in {@link World.namespaces}; absent from a view of all. */
  readonly addresses?: readonly Ip[];
  /** Where Services have their addresses. */
  readonly serviceSubnets: readonly Subnet[];
  /** Where pods have their addresses. */
  readonly podSubnets: readonly Subnet[];
  /** The cluster's DNS as the manager's pod knows it, the first that it asks. */
  readonly nameserver: Ip;
  /** Release of the manager. */
  readonly version: string;
}

const lists = [
  "namespaces",
  "serviceSubnets",
  "podSubnets",
  "addresses",
] as const;
const scalars = ["clusterDomain", "nameserver", "version"] as const;

/**
 * Writes a world as one line of JSON, without its end. After a world that the reader has, the line holds only the fields
 * that differ, and of a list only what was `added` and `removed`: in a large cluster most changes are small.
 */
export function formatWorld(world: World, before?: World): string {
  if (before === undefined) return JSON.stringify(world);
  const line: Record<string, unknown> = {};
  for (const name of scalars) {
    if (String(world[name]) !== String(before[name])) line[name] = world[name];
  }
  for (const name of lists) {
    const [texts, were] = [world[name], before[name]].map((list = []) =>
      new Set(list.map(String))
    ) as [Set<string>, Set<string>];
    const added = [...texts.difference(were)];
    const removed = [...were.difference(texts)];
    if (added.length + removed.length > 0) line[name] = { added, removed };
  }
  return JSON.stringify(line);
}

/**
 * Reads a line of {@link formatWorld}. Fields that this release does not know are passed over. A list that did not change
 * is the very one of `before`.
 *
 * @param before The world of the line before; none for the first line.
 * @throws {SyntaxError} when the line is no world.
 */
export function parseWorld(line: string, before?: World): World {
  const value = JSON.parse(line);
  const isLimited = value?.addresses !== undefined ||
    before?.addresses !== undefined;
  const read = <T>(name: keyof World, parse: (value: unknown) => T): T =>
    before !== undefined && value?.[name] === undefined
      ? before[name] as T
      : parse(value?.[name]);
  const subnets = (name: "serviceSubnets" | "podSubnets") =>
    read<readonly Subnet[]>(
      name,
      (value) =>
        listAfter(before?.[name].map(String) ?? [], value)
          .map((one) => Subnet.parse(text(one))).sort(compareSubnets),
    );
  return {
    clusterDomain: read("clusterDomain", domain),
    namespaces: read(
      "namespaces",
      (value) => listAfter(before?.namespaces ?? [], value).map(label).sort(),
    ),
    serviceSubnets: subnets("serviceSubnets"),
    podSubnets: subnets("podSubnets"),
    ...isLimited
      ? {
        addresses: read(
          "addresses",
          (value) =>
            listAfter(before?.addresses?.map(String) ?? [], value)
              .map((one) => Ip.parse(text(one))),
        ),
      }
      : {},
    nameserver: read("nameserver", (value) => Ip.parse(text(value))),
    version: read("version", text),
  };
}

/** A list that stands there whole, or what becomes of `before`. */
function listAfter(before: readonly string[], value: unknown): unknown[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return list(value);
  }
  const { added, removed } = value as Record<string, unknown>;
  const all = new Set<unknown>(before);
  for (const one of list(removed)) all.delete(one);
  for (const one of list(added)) all.add(one);
  return [...all];
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new SyntaxError(`Cannot parse world: ${typeof value} in place of text`);
}

const labelPattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/i;
/** Leaves room for a service, a namespace and `svc` before it. */
const maxDomainLength = 120;

/** True for a name as Kubernetes gives it (RFC 1123): laptops build names of DNS with it. */
export function isName(text: string): boolean {
  return labelPattern.test(text);
}

function label(value: unknown): string {
  const name = text(value);
  if (isName(name)) return name;
  throw new SyntaxError(`Cannot parse world: "${name}" is no name`);
}

function domain(value: unknown): string {
  const name = text(value);
  if (name.length <= maxDomainLength) {
    return name.split(".").map(label).join(".");
  }
  throw new SyntaxError(`Cannot parse world: "${name}" is too long`);
}

function list(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new SyntaxError(
    `Cannot parse world: ${typeof value} in place of a list`,
  );
}
