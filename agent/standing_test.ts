/** Clients that had their connections before the rules came, with real servers and clients of HTTP. */
import assert from "node:assert/strict";
import { Agent } from "node:http";
import { until } from "../tunnel/session_fake.ts";
import { rule } from "./manager_fake.ts";
import {
  ask,
  bulkTimes,
  client,
  H2Client,
  open,
  type Place,
  sleep,
} from "./standing_fake.ts";

const jane = {
  combine: "all",
  headers: [{ name: "x-user", kind: "exact", value: "jane" }],
} as const;

const callers = 4;
const rounds = 3;
const changesOfRound = 6;

/** Asks all the time while rules come and go. */
async function askWhileRulesChange(
  { ports, tell }: Place,
  askOnce: (user: string) => Promise<string>,
) {
  const rules = [
    [rule("a", { ports, match: jane })],
    [],
    [rule("b", { ports })],
    [],
    [rule("c", { ports, match: jane }), rule("d", { ports })],
    [],
  ];
  assert.equal(rules.length, changesOfRound);
  const answers = { app: 0, laptop: 0, lost: 0 };
  let isOver = false;
  const asking = Array.from({ length: callers }, async (_, at) => {
    for (let turn = 0; !isOver; turn++) {
      const answer = await askOnce(turn % 2 === 0 ? "jane" : "joe")
        .catch((error) => String(error));
      if (answer === "app" || answer === "laptop") answers[answer]++;
      else {
        answers.lost++;
        // deno-lint-ignore no-console
        console.log(answer);
      }
      // Some of them pause, so that connections are at rest.
      if (at % 2 === 1) await sleep(turn % 7);
    }
  });
  for (let round = 0; round < rounds; round++) {
    for (const list of rules) {
      await tell(...list);
      await sleep(40);
    }
  }
  isOver = true;
  await Promise.all(asking);
  return answers;
}

/**
 * Asks until `want` answers; tells how many answers of others came before. An HTTP/2 client hears on its way that it is to
 * come anew, and what it asks before it has heard ends where its session does; HTTP/1 is read at once.
 */
async function askUntil(
  want: string,
  { caller, protocol, user = "" }: {
    caller: ReturnType<typeof client>;
    protocol: "h1" | "h2";
    user?: string;
  },
): Promise<number> {
  const patience = protocol === "h1" ? 0 : 50;
  for (let others = 0;; others++) {
    const answer = await caller.ask(user);
    if (answer === want) return others;
    assert.ok(others < patience, `${answer} answers, and not ${want}`);
  }
}

Deno.test("kept connections of node:http are read as requests when rules come, and lose none", async () => {
  await using place = await open("h1");
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const before = await ask(place.port, { agent });
  assert.equal(before, "app");
  const slow = ask(place.port, { agent, path: "/slow" });
  const answers = await askWhileRulesChange(
    place,
    (user) => ask(place.port, { agent, user }),
  );
  const { http, app } = place.agent.counters.numbers;
  // deno-lint-ignore no-console
  console.log("node:http", answers, { http, app });
  assert.equal(answers.lost, 0);
  assert.ok(answers.laptop > 20 && answers.app > 20);
  assert.equal(await slow, "begun app");
  // All had their connections before the first rule.
  assert.equal(http, 4);
  // The app's are kept, too: none is made for a request, but for one whose rule goes as it comes.
  assert.ok(place.app.conns() <= callers * (1 + rounds * changesOfRound));
  assert.ok(place.app.conns() < answers.app / 2);
  agent.destroy();
});

Deno.test("what streams or waits is not touched, and has the next request read", async () => {
  await using place = await open("h1");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const slow = ask(place.port, { agent, path: "/slow", user: "jane" });
  await sleep(100);
  await place.tell(rule("a", { ports: place.ports }));
  const next = ask(place.port, { agent, user: "jane" });
  assert.equal(await slow, "begun app");
  assert.equal(await next, "laptop");
  agent.destroy();
});

Deno.test("sessions of node:http2 are told to come anew when rules come, and lose none", async () => {
  await using place = await open("h2");
  const client = new H2Client(place.port);
  assert.equal(await client.ask(), "app");
  const slow = client.ask("", "/slow");
  const answers = await askWhileRulesChange(place, (user) => client.ask(user));
  const { sessions } = client;
  // deno-lint-ignore no-console
  console.log("node:http2", answers, { sessions });
  assert.equal(answers.lost, 0);
  assert.ok(answers.laptop > 20 && answers.app > 20);
  assert.ok(sessions > 1);
  assert.equal(await slow, "begun app");
  client.close();
});

for (const protocol of ["h1", "h2"] as const) {
  Deno.test(`${protocol}: who came while nothing listened on the laptop is the laptop's once something does`, async () => {
    await using place = await open(protocol);
    place.laptopIsUp(false);
    await place.tell(rule("a", { ports: place.ports }));
    const caller = client(protocol, place.port);
    assert.equal(await caller.ask(), "app");
    assert.equal(place.agent.counters.numbers.fallbacks, 1);
    place.laptopIsUp(true);
    assert.equal(await caller.ask(), "laptop");
    await place.tell();
    await askUntil("app", { caller, protocol });
    caller.close();
  });

  Deno.test(`${protocol}: who has a connection with the laptop is the app's when the rule goes`, async () => {
    await using place = await open(protocol);
    await place.tell(rule("a", { ports: place.ports }));
    const caller = client(protocol, place.port);
    assert.equal(await caller.ask(), "laptop");
    const slow = caller.ask("", "/slow");
    await sleep(100);
    await place.tell();
    assert.equal(await slow, "begun laptop");
    await askUntil("app", { caller, protocol });
    await place.tell(rule("b", { ports: place.ports, match: jane }));
    await askUntil("laptop", { caller, protocol, user: "jane" });
    assert.equal(await caller.ask("joe"), "app");
    caller.close();
  });

  Deno.test(`${protocol}: what a wiretap copies is taken by an intercept that comes`, async () => {
    await using place = await open(protocol);
    const { ports, tell } = place;
    const tap = rule("a", { ports, mode: "wiretap" });
    await tell(tap);
    const caller = client(protocol, place.port);
    assert.equal(await caller.ask(), "app");
    await until(() => place.laptop.asked() === 1);
    await tell(rule("b", { ports }), tap);
    const others = await askUntil("laptop", { caller, protocol });
    // By the intercept, and as a copy.
    await until(() => place.laptop.asked() === 3 + others);
    caller.close();
  });
}

Deno.test("a download of an HTTP/2 session that is told to come anew comes whole", async () => {
  await using place = await open("h2");
  const client = new H2Client(place.port);
  const bulk = client.ask("", "/bulk");
  await until(() => place.agent.counters.numbers.app === 1);
  await place.tell(rule("a", { ports: place.ports, match: jane }));
  const answers = { app: 0, laptop: 0 };
  while (answers.laptop === 0) {
    const answer = await client.ask("jane");
    answers[answer as "app" | "laptop"]++;
  }
  assert.ok(await bulk === "app".repeat(bulkTimes));
  assert.equal(client.sessions, 2);
  client.close();
});

Deno.test("a client that wants nothing is let go when the agent leaves", async () => {
  await using place = await open("h1");
  const agent = new Agent({ keepAlive: true });
  assert.equal(await ask(place.port, { agent }), "app");
  await place.tell(rule("a", { ports: place.ports, match: jane }));
  assert.equal(await ask(place.port, { agent }), "app");
  const other = new Agent({ keepAlive: true });
  await place.tell();
  assert.equal(await ask(place.port, { agent: other }), "app");
  assert.equal(place.agent.slots.taken, 2);
  const startMs = performance.now();
  place.leaving.abort();
  await until(() => place.agent.slots.taken === 0);
  const ms = performance.now() - startMs;
  // deno-lint-ignore no-console
  console.log(`two idle clients were let go within ${ms.toFixed(0)} ms`);
  assert.ok(ms < 4_000);
  agent.destroy();
  other.destroy();
});
