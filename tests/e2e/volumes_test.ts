/** A pod's volumes on a laptop, mounted by sshfs, with all that may befall them. */
import assert from "node:assert/strict";
import { type Laptop, say, sleep, waitFor } from "../cluster/mod.ts";
import { assertSameState } from "../support/same_state.ts";
import { Tp } from "../support/laptop_tp.ts";
import { VolumesHolder } from "../support/volumes_holder.ts";
import { openVolumesPlace, swap } from "../support/volumes_place.ts";
import { podPasswd } from "../support/volumes_pod.ts";

const bigBytes = 64 * 1024 * 1024;

async function mounts(laptop: Laptop): Promise<string> {
  const { stdout } = await laptop.run([
    "grep",
    "fuse.sshfs",
    "/proc/self/mounts",
  ]);
  return stdout.trim();
}

/** Pids of the user's processes of these names on the laptop. */
async function pidsOf(laptop: Laptop, names: RegExp): Promise<number[]> {
  const pids: number[] = [];
  for (const pid of await laptop.pids()) {
    const name = await Deno.readTextFile(`/proc/${pid}/comm`).catch(() => "");
    if (names.test(name)) pids.push(pid);
  }
  return pids;
}

async function gone(laptop: Laptop): Promise<number> {
  const beganMs = performance.now();
  await waitFor("end of the mount and of sshfs", async () => {
    const pids = await pidsOf(laptop, /sshfs|fusermount/);
    return await mounts(laptop) + pids.join(" ") === "" || `processes ${pids}`;
  }, { everyMs: 20 });
  return Math.round(performance.now() - beganMs);
}

Deno.test("volumes are mounted on a laptop", async (t) => {
  await using place = await openVolumesPlace();
  const { laptop, pod, before, start } = place;

  await t.step(
    "mounted: what the app reads, the user's process reads",
    async () => {
      await using holder = await start();
      assert.equal(holder.held.error, undefined);
      assert.equal(holder.held.mode, "mount");
      assert.match(
        holder.held.root,
        /^\/run\/user\/42000\/tp\/volumes\/sample-app-allow_other-/,
      );
      const read = (path: string) => holder.sh(`cat ${path} 2>&1`);
      assert.equal(await read("etc/config/colour"), "green");
      assert.equal(await read("secret/password"), "open sesame");
      assert.equal(
        await holder.sh("stat -c '%a %U' secret/password"),
        "600 tp-test",
      );
      assert.equal(await holder.sh("data/run"), "ran");
      assert.equal(await read("data/link-inside"), "inside");
      assert.equal(await read("data/link-to-directory/deep"), "deep");
      await holder.sh("echo new >data/written");
      assert.equal(await pod.sh("cat data/written"), "new\n");
      // Nobody else enters, root included.
      const { stderr } = await laptop.run(["ls", holder.held.root]);
      assert.match(stderr, /Permission denied/);
      await pod.sh(swap);
      await waitFor(
        "changed ConfigMap",
        async () => (await read("etc/config/colour")) === "red" || "another",
      );
      await holder.close();
      assertSameState(await laptop.snapshot(), before);
    },
  );

  await t.step(
    "mounted: a link never leads to the laptop's own files",
    async () => {
      await using holder = await start();
      for (const link of ["link-to-passwd", "link-up"]) {
        assert.equal(
          await holder.sh(`cat data/${link}`),
          podPasswd.trim(),
          link,
        );
        // The kernel of the laptop is shown no link that it would follow.
        assert.equal(
          await holder.sh(`stat -c %F data/${link}`),
          "regular file",
        );
      }
      assert.match(
        await holder.sh("cat data/link-dangling 2>&1"),
        /No such file/,
      );
      await holder.close();
    },
  );

  await t.step("mounted read-only: nothing is written", async () => {
    await using holder = await start({ isReadOnly: true });
    assert.match(
      await holder.sh("touch data/other 2>&1"),
      /Read-only file system/,
    );
    assert.equal(await holder.sh("cat data/inside"), "inside");
    await holder.close();
  });

  await t.step("mounted: a big file is the same", async () => {
    await pod.sh(`head -c ${bigBytes} /dev/urandom >data/big`);
    const [digest] = (await pod.sh("sha256sum data/big")).split(" ");
    await using holder = await start();
    const beganMs = performance.now();
    assert.match(
      await holder.sh("sha256sum data/big"),
      new RegExp(`^${digest} `),
    );
    const seconds = (performance.now() - beganMs) / 1000;
    say(`volumes: ${(bigBytes / 2 ** 20 / seconds).toFixed(0)} MiB/s read`);
    await holder.sh("cp data/big data/bigger");
    assert.match(
      await pod.sh("sha256sum data/bigger"),
      new RegExp(`^${digest} `),
    );
    await pod.sh("rm data/big data/bigger");
    await holder.close();
  });

  await t.step(
    "mounted: when the pod is replaced they come back at the same place",
    async () => {
      await using holder = await start();
      for (let time = 0; time < 3; time++) {
        const beganMs = performance.now();
        await pod.endStreams();
        await waitFor("volumes again", async () => {
          if (await holder.sh("cat data/inside") !== "inside") return "not yet";
          const { length } = await pidsOf(laptop, /sshfs/);
          return length === 1 || `${length} of sshfs`;
        }, { everyMs: 20 });
        say(
          `volumes: back after ${Math.round(performance.now() - beganMs)} ms`,
        );
      }
      await holder.untilError(undefined);
      await holder.close();
      assertSameState(await laptop.snapshot(), before);
    },
  );

  await t.step("mounted: when sshfs is killed they come back", async () => {
    await using holder = await start();
    const [pid] = await pidsOf(laptop, /sshfs/);
    Deno.kill(pid!, "SIGKILL");
    await waitFor("another sshfs", async () => {
      const pids = await pidsOf(laptop, /sshfs/);
      if (pids.length !== 1 || pids[0] === pid) return `pids ${pids}`;
      return (await holder.sh("cat data/inside")) === "inside" || "another";
    }, { everyMs: 20 });
    await holder.close();
    assertSameState(await laptop.snapshot(), before);
  });

  await t.step(
    "mounted at the user's place, which must be empty and stays",
    async () => {
      const place = "/home/tp-test/place";
      await using holder = await start({ mountPoint: place });
      assert.equal(holder.held.root, place);
      assert.equal(await holder.sh("cat data/inside"), "inside");
      await holder.close();
      await laptop.run([
        "sh",
        "-c",
        `! test -e ${place} && mkdir ${place} && chown 42000 ${place} && touch ${place}/mine`,
      ]);
      await using refused = await start({ mountPoint: place });
      assert.equal(
        refused.held.thrown,
        `Cannot mount volumes at "${place}": it is not empty`,
      );
      await laptop.run(["rm", `${place}/mine`]);
      await using again = await start({ mountPoint: place });
      assert.equal(await again.sh("cat data/inside"), "inside");
      await again.close();
      await laptop.run(["rmdir", place]);
      assertSameState(await laptop.snapshot(), before);
    },
  );

  await t.step("mounted and in use: they are closed nevertheless", async () => {
    await using holder = await start();
    const user = laptop.spawn(
      ["sh", "-c", "exec 3<data/inside; echo here; read -r _; cat <&3"],
      {
        user: "tp-test",
        cwd: holder.held.root,
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      },
    );
    const reader = user.stdout.getReader();
    await reader.read();
    const beganMs = performance.now();
    await holder.close();
    say(
      `volumes: closed in use after ${
        Math.round(performance.now() - beganMs)
      } ms`,
    );
    await gone(laptop);
    await user.stdin.close();
    await reader.cancel();
    await user.status;
    assertSameState(await laptop.snapshot(), before);
  });

  await t.step(
    "after kill -9 of the connector the mount ends by itself",
    async () => {
      await using holder = await start();
      await holder.kill();
      say(`volumes: gone ${await gone(laptop)} ms after kill -9`);
      await VolumesHolder.repair(laptop);
      assertSameState(await laptop.snapshot(), before);
    },
  );

  await t.step("after kill -9 of all, the next command unmounts", async () => {
    await using holder = await start();
    // Stopped first, so that none of them sees another one's end.
    const pids = await pidsOf(laptop, /sshfs|fusermount|deno/);
    for (const pid of pids) Deno.kill(pid, "SIGSTOP");
    for (const pid of pids) Deno.kill(pid, "SIGKILL");
    await holder.kill();
    await sleep(100);
    assert.match(await mounts(laptop), /fuse.sshfs/);
    await new Tp(laptop, { user: "tp-test" }).run(["status"]);
    assert.equal(await mounts(laptop), "");
    assertSameState(await laptop.snapshot(), before);
  });
});
