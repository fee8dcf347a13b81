import assert from "node:assert/strict";
import { connPair } from "../net/mod.ts";
import { runBridge } from "./bridge.ts";

/** A door on the loopback address, and the next who comes. */
function openDoor() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  return { listener, port, [Symbol.dispose]: () => listener.close() };
}

async function readText(
  from: { read(into: Uint8Array): Promise<number | null> },
  size: number,
): Promise<string> {
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = await from.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("runBridge() says that it is ready, carries both ways, and the end of the input", async () => {
  using door = openDoor();
  const [input, typist] = connPair();
  const [output, screen] = connPair();
  const running = runBridge({ port: door.port, input, output });
  using guest = await door.listener.accept();
  assert.equal(await readText(screen, 6), "ready\n");
  await typist.write(bytes("ping"));
  assert.equal(await readText(guest, 4), "ping");
  await typist.closeWrite();
  assert.equal(await guest.read(new Uint8Array(1)), null);
  await guest.write(bytes("pong"));
  assert.equal(await readText(screen, 4), "pong");
  await guest.closeWrite();
  await running;
});

Deno.test("runBridge() ends when the door has said all, whatever is still to come in", async () => {
  using door = openDoor();
  const [input] = connPair();
  const [output, screen] = connPair();
  const running = runBridge({ port: door.port, input, output });
  {
    using guest = await door.listener.accept();
    await guest.write(bytes("bye"));
  }
  await running;
  assert.equal(await readText(screen, 9), "ready\nbye");
});

Deno.test("runBridge() tells that nobody is at the door", async () => {
  const door = openDoor();
  door[Symbol.dispose]();
  const [input] = connPair();
  await assert.rejects(
    runBridge({ port: door.port, input, output: input }),
    /refused/,
  );
});

Deno.test("runBridge() breaks off at the door when a stream does", async () => {
  for (const which of ["input", "output"] as const) {
    using door = openDoor();
    const [input, typist] = connPair();
    const [output, screen] = connPair();
    const running = runBridge({ port: door.port, input, output });
    using guest = await door.listener.accept();
    assert.equal(await readText(screen, 6), "ready\n");
    (which === "input" ? typist : screen).reset();
    if (which === "output") await guest.write(bytes("lost"));
    await assert.rejects(running);
    await assert.rejects(guest.read(new Uint8Array(1)), /reset/);
  }
});
