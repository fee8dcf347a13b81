import assert from "node:assert/strict";
import { SessionRecords } from "./session_records.ts";

const server = new URL("https://one.test:6443");
const [first, second] = ["ab".repeat(32), "cd".repeat(32)];

async function inScratch(
  test: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await test(`${directory}/cache/sessions`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("SessionRecords tells another process of each session that was not forgotten, for each cluster", () =>
  inScratch(async (directory) => {
    const records = new SessionRecords({ server, directory });
    await records.note(first, "shop");
    await records.note(first, "bank");
    await records.note(first, "shop");
    await records.note(second, "shop");
    const later = new SessionRecords({ server, directory });
    const all = async () => (await later.all()).map((one) => ({ ...one }));
    assert.deepEqual(
      (await all()).sort((a, b) => a.session < b.session ? -1 : 1),
      [
        { session: first, namespaces: ["shop", "bank"] },
        { session: second, namespaces: ["shop"] },
      ],
    );
    const { mode } = await Deno.stat(`${directory}/${first}.json`);
    assert.equal(mode! & 0o777, 0o600);
    const elsewhere = new URL("https://two.test:6443");
    const others = new SessionRecords({ server: elsewhere, directory });
    assert.deepEqual(await others.all(), []);
    const host = "another-laptop";
    const away = new SessionRecords({ server, directory, host });
    assert.deepEqual(await away.all(), []);
    await records.forget(second);
    assert.deepEqual((await all()).map(({ session }) => session), [first]);
    await later.forget(first);
    await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
  }));

Deno.test("SessionRecords forgets what is a month old, or damaged", () =>
  inScratch(async (directory) => {
    let now = Date.now();
    const records = new SessionRecords({ server, directory, now: () => now });
    await records.note(first, "shop");
    now += 29 * 86_400_000;
    assert.equal((await records.all()).length, 1);
    now += 2 * 86_400_000;
    assert.deepEqual(await records.all(), []);
    now = Date.now();
    for (const text of ["", "{", "null", "[1]", '{"server":"x"}']) {
      await records.note(first, "shop");
      await Deno.writeTextFile(`${directory}/${first}.json`, text);
      assert.deepEqual(await records.all(), [], text);
    }
  }));

Deno.test("SessionRecords goes on where nothing can be written", async () => {
  const records = new SessionRecords({ server, directory: "/dev/null/x" });
  await records.note(first, "shop");
  assert.deepEqual(await records.all(), []);
  await records.forget(first);
});
