/**
 * `./dev bench dns [--rounds=3] [--questions=200] [--json]`: how long names of the cluster take to resolve on a laptop,
 * held against a pod that asks the cluster's DNS, and names of the outside with `tp` against without it; in one run.
 *
 * 1. A pod, a laptop that is connected and one that is not, each with the same program that asks as apps do, one question
 *    after the other.
 * 2. Rounds: each kind of question, on the laptop and on what it is held against in turn. Each round has names that nobody
 *    has asked for before, and then the same once more.
 */
import { Laptop, openCluster, say } from "../tests/cluster/mod.ts";
import {
  askerInPod,
  askerOnLaptop,
  askNamesProgram,
  type NameAsker,
} from "../tests/support/name_asker.ts";
import { Tp } from "../tests/support/laptop_tp.ts";
import { describeSetUp, formatSetUp, type SetUp } from "./measure/machine.ts";
import { executable, installManager } from "./measure/manager.ts";
import { roundOptions, valueOf } from "./measure/options.ts";
import { ratios, spread } from "./measure/ratio.ts";
import { digits, range, table } from "./measure/table.ts";

interface Kind {
  readonly name: string;
  /** Where the figure is that it is held against. */
  readonly base: "pod" | "laptop without tp";
  /** The questions of a round, from 0. */
  questions(round: number, count: number): string[];
}

/** Microseconds of a round. */
interface Times {
  readonly p50: number;
  readonly p99: number;
}

interface Line {
  readonly kind: string;
  readonly base: Kind["base"];
  readonly ofBase: readonly Times[];
  readonly ofLaptop: readonly Times[];
}

interface Report {
  readonly setUp: SetUp;
  readonly rounds: number;
  readonly questions: number;
  readonly lines: readonly Line[];
}

const typeA = 1;
const numbered = (count: number, name: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => name(i));
/** The name of a pod by its address, which the cluster's DNS makes up of any address. */
const podName = (round: number, i: number) =>
  `10-${64 + round}-${i >> 8}-${i & 255}.default.pod.cluster.local`;

const kinds: readonly Kind[] = [
  {
    name: "record, cold",
    base: "pod",
    questions: (round, count) =>
      numbered(count, (i) => `${typeA} ${podName(round, i)}`),
  },
  {
    name: "record, again",
    base: "pod",
    questions: (round, count) =>
      numbered(count, (i) => `${typeA} ${podName(round, i)}`),
  },
  {
    name: "no such name, cold",
    base: "pod",
    questions: (round, count) =>
      numbered(
        count,
        (i) => `${typeA} absent-${round}-${i}.default.svc.cluster.local`,
      ),
  },
  {
    name: "getaddrinfo, cold",
    base: "pod",
    questions: (round, count) =>
      numbered(count, (i) => `host ${podName(round + 64, i)}`),
  },
  {
    name: "getaddrinfo of SERVICE.NAMESPACE, again",
    base: "pod",
    questions: (_, count) => numbered(count, () => "host kubernetes.default"),
  },
  {
    name: "record of the outside",
    base: "laptop without tp",
    questions: (_, count) =>
      numbered(count, () => `${typeA} outside.example.test`),
  },
];

async function bench(
  { rounds, questions }: { rounds: number; questions: number },
): Promise<Report> {
  await askNamesProgram();
  await using stack = new AsyncDisposableStack();
  const cluster = await openCluster();
  const { name: namespace } = stack.use(await cluster.namespace("tp-bench"));
  const pod = await askerInPod(cluster, namespace);
  const laptop = stack.use(await Laptop.open(cluster));
  const other = stack.use(await Laptop.open(cluster));
  const setUp = await describeSetUp({ cluster, laptop, executable });
  const manager = stack.use(await installManager(cluster));
  const tp = new Tp(laptop);
  stack.use(
    await tp.connected([
      ...["--manager-namespace", manager.namespace, "--image", manager.image],
    ]),
  );
  const app = await askerOnLaptop(laptop);
  const bases: Record<Kind["base"], NameAsker> = {
    pod,
    "laptop without tp": await askerOnLaptop(other),
  };
  const lines = kinds.map(({ name, base }) => ({
    ...{ kind: name, base },
    ofBase: [] as Times[],
    ofLaptop: [] as Times[],
  }));
  // Round -1 warms up and is forgotten.
  for (let round = -1; round < rounds; round++) {
    say(round < 0 ? "bench: warming up" : `bench: round ${round + 1}`);
    for (const [i, kind] of kinds.entries()) {
      const asked = kind.questions(round + 1, questions);
      const ofBase = await timesOf(bases[kind.base], asked);
      const ofLaptop = await timesOf(app, asked);
      if (round < 0) continue;
      lines[i]!.ofBase.push(ofBase);
      lines[i]!.ofLaptop.push(ofLaptop);
    }
  }
  return { setUp, rounds, questions, lines };
}

async function timesOf(
  asker: NameAsker,
  questions: readonly string[],
): Promise<Times> {
  const sorted = (await asker.time(questions)).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(share * sorted.length)]!;
  return { p50: at(0.5), p99: at(0.99) };
}

function formatReport({ setUp, rounds, questions, lines }: Report): string {
  const rows = lines.flatMap(({ kind, base, ofBase, ofLaptop }) =>
    (["p50", "p99"] as const).map((quantile) => {
      const values = ofLaptop.map((times) => times[quantile]);
      const bases = ofBase.map((times) => times[quantile]);
      const ratio = spread(ratios(values, bases));
      return [
        `${kind}, ${quantile}, us`,
        base,
        digits(spread(bases)?.median),
        digits(spread(values)?.median),
        digits(ratio?.median, 2),
        range(ratio),
      ];
    })
  );
  const head = ["", "against", "there", "tp", "ratio", "range"];
  return `${formatSetUp(setUp)}
${rounds} rounds of ${questions} questions of each kind, one after the other; medians of the rounds

${table([head, ...rows])}`;
}

const { rounds, json } = roundOptions(Deno.args);
const questions = Number(valueOf(Deno.args, "questions") ?? 200);
const report = await bench({ rounds, questions });
const text = json ? JSON.stringify(report, null, 2) : formatReport(report);
await Deno.stdout.write(new TextEncoder().encode(`${text}\n`));
