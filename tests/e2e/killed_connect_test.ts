/**
 * kill -9 of each process of ours at each step of connecting and disconnecting: the world outside is there within 2 s, by
 * name, and the next `tp connect` works, and leaves nothing of what was before.
 */
import assert from "node:assert/strict";
import {
  accounts,
  defaultResolvConf,
  Laptop,
  openCluster,
} from "../cluster/mod.ts";
import {
  Killed,
  type Step,
  type Victim,
  victimSets,
} from "../support/killed.ts";
import { Tp } from "../support/laptop_tp.ts";
import { LaptopView } from "../support/laptop_view.ts";
import { managerPlace } from "../support/manager_place.ts";

const page = "verylargejavaservice.default:8080";

async function mustServe(laptop: Laptop): Promise<void> {
  const { stdout, stderr } = await laptop.run([
    "curl",
    "-sS",
    "-m",
    "10",
    page,
  ]);
  assert.match(stdout, /EdgyCorp/, stderr);
}

Deno.test("kill -9 at every step of tp connect and tp quit: the world outside is there within 2 s, the next connect cleans", async (t) => {
  const user = "tp-test";
  await using laptop = await Laptop.open(await openCluster());
  await using view = await LaptopView.open(laptop);
  const tp = new Tp(laptop, { user });
  // A manager is there from now on, and what a first run leaves.
  await tp.ok(["connect"]);
  await tp.ok(["quit"]);
  const before = await laptop.snapshot();
  const killed = new Killed({
    ...{ laptop, view, user, connect: ["connect"] },
    answers: () => mustServe(laptop),
  });
  const { runtimeDir } = accounts[user];
  const isTold = () => view.text("/etc/resolv.conf") !== defaultResolvConf;
  const steps: [Step, Victim[][]][] = [
    [{
      name: "the command has begun",
      isReached: () => view.find("connect") !== undefined,
    }, victimSets.command],
    [{
      name: "the connector begins",
      isReached: () => view.has(`${runtimeDir}/tp`),
    }, victimSets.early],
    [{
      name: "the connector listens",
      isReached: () => view.has(`${runtimeDir}/tp/connector.sock`),
    }, victimSets.early],
    [{
      name: "the daemon is asked for",
      isReached: (told) => told.includes("Launching tp Daemon"),
    }, victimSets.early],
    [{
      name: "the daemon has its guard",
      isReached: () => view.has("/run/tp/journal"),
    }, victimSets.all],
    [{
      name: "the device is there",
      isReached: () => view.hasDevice("tp0"),
    }, victimSets.all],
    [{
      name: "routes lead to it",
      isReached: () => view.hasRoutes("tp0"),
    }, victimSets.all],
    [{ name: "the resolver is told", isReached: isTold }, victimSets.all],
    [{
      name: "connected",
      isReached: (told) => told.includes("Connected to context"),
    }, [...victimSets.held, ["guard", "daemon", "connector"]]],
  ];
  for (const [step, sets] of steps) {
    for (const victims of sets) {
      await t.step(`${step.name}: ${victims.join(" and ")}`, async () => {
        await killed.outlive({ args: ["connect"], step, victims });
        await killed.quit(before);
      });
    }
  }
  const quitting: Step = {
    name: "quitting, the resolver is as before",
    isReached: () => !isTold(),
  };
  for (const victims of victimSets.all) {
    await t.step(`${quitting.name}: ${victims.join(" and ")}`, async () => {
      await tp.ok(["connect"]);
      await killed.outlive({
        ...{ args: ["quit"], step: quitting, victims },
        again: () => tp.ok(["connect"]),
      });
      await killed.quit(before);
    });
  }
});

Deno.test("kill -9 while tp connect installs a manager: the next one installs it", async (t) => {
  const user = "tp-test";
  const cluster = await openCluster();
  await using laptop = await Laptop.open(cluster);
  await using view = await LaptopView.open(laptop);
  const before = await laptop.snapshot();
  const step: Step = {
    name: "the manager is installed",
    isReached: (told) => told.includes("Installing traffic manager"),
  };
  for (const victims of victimSets.all) {
    await t.step(victims.join(" and "), async () => {
      await using place = await managerPlace(cluster);
      const connect = ["connect", ...place.flag];
      const answers = () => mustServe(laptop);
      const killed = new Killed({ laptop, view, user, connect, answers });
      await killed.outlive({ args: connect, step, victims });
      await killed.quit(before);
    });
  }
});
