import assert from "node:assert/strict";
import { lookAtTun } from "./tun.ts";

Deno.test("lookAtTun() opens the device, and tells why that is not enough", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const device = `${directory}/tun`;
    const isRoot = true;
    assert.equal(await lookAtTun(device, { isRoot }), "missing");
    await Deno.writeTextFile(device, "");
    const status = `${directory}/status`;
    const found = async (bounding: string) => {
      await Deno.writeTextFile(status, `CapEff:\t0\nCapBnd:\t${bounding}\n`);
      return await lookAtTun(device, { isRoot, status });
    };
    assert.equal(await found("000001ffffffffff"), "usable");
    assert.equal(await found("00000000a80425fb"), "no-capability");
    assert.equal(await found("00000000a80435fb"), "usable");
    // No process opens a socket as a file.
    const path = `${directory}/socket`;
    using _ = Deno.listen({ transport: "unix", path });
    assert.equal(await lookAtTun(path, { isRoot }), "missing");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
