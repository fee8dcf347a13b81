/**
 * `transfer_script.ts down|up|source URL BYTES RATE`: one transfer, by HTTP or from a service that is a source of bytes, at
 * RATE bytes a second until a line comes in, then as fast as it goes. It prints how many bytes it has read or handed on, a
 * line each time, and at the end what came of it as JSON: the SHA-256 of what arrived and of what was sent.
 */
import { createHash } from "node:crypto";

type Way = "down" | "up" | "source";

const [way, url = "", bytesText, rateText] = Deno.args;
const bytes = Number(bytesText);
const rate = Number(rateText);
const blockBytes = 64 * 1024;
const reportMs = 20;

const startMs = performance.now();
let done = 0;
let reportedMs = 0;
const hash = createHash("sha256");
const released = Promise.withResolvers<void>();
let isReleased = false;
(async () => {
  await Deno.stdin.read(new Uint8Array(64));
  isReleased = true;
  released.resolve();
})();

/** Counts a block, and waits until the next one is due. */
async function pass(block: Uint8Array): Promise<void> {
  if (way !== "source") hash.update(block);
  done += block.length;
  const nowMs = performance.now();
  if (nowMs - reportedMs >= reportMs) {
    reportedMs = nowMs;
    say(String(done));
  }
  const earlyMs = startMs + done / rate * 1000 - nowMs;
  if (isReleased || earlyMs < 1) return;
  const due = Promise.withResolvers<void>();
  const timer = setTimeout(due.resolve, earlyMs);
  await Promise.race([due.promise, released.promise]);
  clearTimeout(timer);
}

async function down(): Promise<{ arrived: string; sent: string }> {
  const answer = await fetch(`${url}bytes/${bytes}`);
  for await (const block of answer.body!) await pass(block);
  return {
    arrived: hash.digest("hex"),
    sent: answer.headers.get("x-sha256") ?? "",
  };
}

/** Nobody compares what comes without end. */
async function source(): Promise<{ arrived: string; sent: string }> {
  const { hostname, port } = new URL(url);
  using conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(new TextEncoder().encode(`${bytes}\n`));
  const buffer = new Uint8Array(blockBytes);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return { arrived: "", sent: "" };
    await pass(buffer.subarray(0, count));
  }
}

async function up(): Promise<{ arrived: string; sent: string }> {
  const block = crypto.getRandomValues(new Uint8Array(blockBytes));
  const body = new ReadableStream({
    async pull(controller) {
      if (done === bytes) return controller.close();
      // No two blocks are the same, so that none can take another's place.
      new DataView(block.buffer).setFloat64(0, done);
      const next = block.slice(0, bytes - done);
      await pass(next);
      controller.enqueue(next);
    },
  });
  const answer = await fetch(url, { method: "PUT", body });
  const { sha256 } = await answer.json();
  return { arrived: sha256, sent: hash.digest("hex") };
}

function say(line: string): void {
  // deno-lint-ignore no-console -- who started this reads it
  console.log(line);
}

const result = await { down, up, source }[way as Way]();
say(JSON.stringify({ bytes: done, ...result }));
Deno.exit(0);
