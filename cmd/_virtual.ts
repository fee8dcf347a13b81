import type { Status } from "../connector/api.ts";

type RootStatus = NonNullable<Status["root_daemon"]>;

/** Which subnets are reached by virtual addresses and why, a text for each reason; what is full, too. */
export function virtualTexts({ root_daemon: root }: Status): string[] {
  const { virtual_subnets: subnets = [], virtual_ranges: ranges = [] } = root ??
    {};
  const full = ([4, 6] as const).map((family) =>
    ranges.filter(({ range }) => range.includes(":") === (family === 6))
  ).filter((all) =>
    all.length > 0 && all.every(({ used, size }) => used >= size)
  );
  return [
    ...Map.groupBy(subnets, textKey).values().map(subnetsText),
    ...full.map((all) =>
      `${all.map(({ range }) => range).join(", ")} full: names of further ` +
      "addresses fail"
    ),
  ];
}

function textKey(
  { ranges, reason, since }: RootStatus["virtual_subnets"][number],
): string {
  return JSON.stringify([ranges, reason, since]);
}

function subnetsText(subnets: RootStatus["virtual_subnets"]): string {
  const [{ ranges, reason, since }] = subnets as [typeof subnets[number]];
  const text = subnets.map(({ subnet }) => subnet).join(", ") +
    ` as ${ranges.join(", ")} (${reason})`;
  const stranded = subnets.reduce((sum, one) => sum + one.stranded_flows, 0);
  if (stranded === 0) return text;
  const flows = stranded === 1 ? "1 flow" : `${stranded} flows`;
  const time = `${since.slice(0, 19).replace("T", " ")} UTC`;
  return `${text}; ${flows} opened before ${time} by its own addresses no ` +
    "longer reach the cluster";
}
