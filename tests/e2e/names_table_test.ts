/** The laptop and a pod are told the same of every name. */
import assert from "node:assert/strict";
import { Laptop, openCluster, say } from "../cluster/mod.ts";
import { Tp } from "../support/laptop_tp.ts";
import {
  answerText,
  hasRecords,
  type Section,
  ttlsOf,
} from "../support/name_answer.ts";
import {
  askerInPod,
  askerOnLaptop,
  askNamesProgram,
} from "../support/name_asker.ts";
import { makeNamesWorld } from "../support/names_world.ts";

/** Asked of every name. */
const types = {
  ...{ A: 1, CNAME: 5, PTR: 12, MX: 15, TXT: 16, AAAA: 28, SRV: 33 },
  ...{ HTTPS: 65, CAA: 257 },
};
/** Asked of full names only: short ones are of no zone of the cluster. */
const zoneTypes = { NS: 2, SOA: 6 };
Deno.test("two hundred names, by getaddrinfo and by every type of record, are told to the laptop as to a pod", async () => {
  await askNamesProgram();
  const cluster = await openCluster();
  await using own = await cluster.namespace("names");
  await using other = await cluster.namespace("names");
  const world = await makeNamesWorld(cluster, [own.name, other.name]);
  const pod = await askerInPod(cluster, own.name);
  await using laptop = await Laptop.open(cluster);
  const tp = new Tp(laptop);
  await using _ = await tp.connected(["--namespace", own.name]);
  const app = await askerOnLaptop(laptop);

  const hosts = world.names.map(({ form }) => `host ${form}`);
  const [inPod, onLaptop] = await Promise.all([pod.ask(hosts), app.ask(hosts)]);
  const sorted = (text: string) => text.split(" ").sort().join(" ");
  const unequal = hosts.flatMap((question, i) => {
    const [theirs, ours] = [sorted(inPod[i]!), sorted(onLaptop[i]!)];
    return theirs === ours ? [] : [`${question}: ${theirs} / ${ours}`];
  });
  const resolved = inPod.filter((text) => !text.startsWith("!")).length;
  assert.deepEqual(unequal, []);
  say(
    `${hosts.length} names by getaddrinfo, of which ${resolved} resolve: equal`,
  );
  assert.ok(hosts.length >= 200 && resolved >= 100);

  const names = [
    ...world.names,
    ...world.reverse.map((form) => ({ form, full: form })),
  ];
  const questions = names.flatMap(({ form, full }) => {
    const isWhole = form === full || form.endsWith(".svc");
    const asked = isWhole ? { ...types, ...zoneTypes } : types;
    // Of a name that the cluster does not know, the host's nameserver tells which zone lacks it.
    const sections: Section[] = isWhole && !form.endsWith(".arpa")
      ? ["answers", "authorities", "additionals"]
      : ["answers", "additionals"];
    return Object.values(asked).map((type) => ({ form, full, sections, type }));
  });
  const ask = async (asker: typeof app, which: "form" | "full") =>
    await asker.ask(questions.map((one) => `${one.type} ${one[which]}`));
  const [answersInPod, answersOnLaptop] = await Promise.all([
    ask(pod, "full"),
    ask(app, "form"),
  ]);
  const differing = questions.flatMap((question, i) => {
    const { form, full, sections } = question;
    const theirs = answerText(answersInPod[i]!, { form: full, full, sections });
    const ours = answerText(answersOnLaptop[i]!, { form, full, sections });
    return theirs === ours
      ? []
      : [`${question.type} ${form}:\n  ${theirs}\n  ${ours}`];
  });
  assert.deepEqual(differing, []);
  const [ttlsInPod, ttls] = [answersInPod, answersOnLaptop].map((answers) =>
    answers.flatMap(ttlsOf)
  );
  // Of those that were asked for before, some has run out already, here as there.
  assert.equal(Math.max(...ttls!), Math.max(...ttlsInPod!));
  const found = answersOnLaptop.filter(hasRecords).length;
  say(`${questions.length} questions, of which ${found} have records: equal`);
});
