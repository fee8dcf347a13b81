import assert from "node:assert/strict";
import { resource, type WatchEvent } from "../../k8s/mod.ts";
import { FakeClock } from "../../net/clock_fake.ts";
import { refused } from "./cluster_fake.ts";
import { ObjectBook } from "./object_book.ts";

const things = resource("tp.dev/v1", "Thing");
type Thing = NonNullable<typeof things.of>;

function thing(name: string, uid = `uid-${name}`): Thing {
  return { metadata: { namespace: "shop", name, uid, resourceVersion: uid } };
}

/** A book whose watch is given by hand: each time it is asked, the next of `watches`. */
function open(watches: (() => AsyncIterable<WatchEvent<Thing>>)[]) {
  const clock = new FakeClock();
  const told: string[] = [];
  const book = new ObjectBook<Thing>({
    ...{ resource: things, clock },
    watch: ({ signal }) => watches.shift()?.() ?? silence(signal),
    isOwn: ({ metadata }) => metadata.name !== "other",
    onChange: ({ now, before }) =>
      told.push(
        `${now ? "+" : "-"}${(now ?? before)!.metadata.uid}${
          now && before ? "*" : ""
        }`,
      ),
    onKnown: () => told.push("known"),
  });
  return {
    ...{ clock, told, book },
    async until(words: string) {
      for (let tries = 0; told.join(" ") !== words; tries++) {
        assert.ok(tries < 200, `"${told.join(" ")}", not "${words}"`);
        clock.advance(100);
        await new Promise((resolve) => setTimeout(resolve));
      }
    },
    async [Symbol.asyncDispose]() {
      await book[Symbol.asyncDispose]();
    },
  };
}

// deno-lint-ignore require-yield
async function* silence(signal: AbortSignal): AsyncGenerator<never> {
  await new Promise<void>((resolve) =>
    signal.addEventListener("abort", () => resolve(), { once: true })
  );
}

function events(...all: WatchEvent<Thing>[]) {
  return async function* () {
    for (const one of all) yield await Promise.resolve(one);
  };
}

// deno-lint-ignore require-yield
async function* missing(): AsyncGenerator<never> {
  await Promise.resolve();
  throw refused(things, 404, "NotFound");
}

const added = (object: Thing) => ({ type: "ADDED", object }) as const;
const synced = { type: "SYNCED" } as const;

Deno.test("ObjectBook waits for a definition that comes later, and knows what is its own", async () => {
  await using one = open([
    missing,
    missing,
    events(added(thing("a")), added(thing("other")), synced),
  ]);
  assert.ok(!one.book.isKnown);
  await one.until("+uid-a known");
  assert.ok(one.book.isKnown);
  assert.equal(one.book.findByUid("uid-a")?.metadata.name, "a");
  assert.equal(one.book.find({ namespace: "shop", name: "other" }), undefined);
});

Deno.test("ObjectBook forgets all when the definition goes, and what is not there any more when it comes again", async () => {
  await using one = open([
    events(added(thing("a")), added(thing("b")), synced),
    events(added(thing("b", "again")), synced),
    missing,
  ]);
  await one.until("+uid-a +uid-b known +again* -uid-a known -again");
  assert.deepEqual([...one.book.objects], []);
  assert.equal(one.book.findByUid("uid-b"), undefined);
});

Deno.test("ObjectBook takes what was written, unless the watch was faster", async () => {
  await using one = open([events(added(thing("a")), synced)]);
  await one.until("+uid-a known");
  const before = one.book.findByUid("uid-a")!;
  one.book.learn(thing("a", "v2"), before);
  one.book.learn(thing("a", "v1"), before);
  assert.deepEqual(one.told, ["+uid-a", "known", "+v2*"]);
});
