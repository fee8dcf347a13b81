/** A pod's volumes on a laptop where nothing can be mounted: small ones are copied. */
import assert from "node:assert/strict";
import { waitFor } from "../cluster/mod.ts";
import { assertSameState } from "../support/same_state.ts";
import { VolumesHolder } from "../support/volumes_holder.ts";
import { openVolumesPlace } from "../support/volumes_place.ts";

Deno.test("volumes are copied to a laptop", async (t) => {
  await using place = await openVolumesPlace();
  const { laptop, pod, before, start } = place;

  await t.step(
    "without sshfs they are copied, with the reason, and followed",
    async () => {
      await pod.sh(
        "head -c 17000000 /dev/zero >data/too-large; chmod 700 data/run",
      );
      await using holder = await start({
        env: { PATH: "/nowhere" },
        volumes: ["/etc/config", "/secret", "/data"],
        lookMs: 200,
      });
      assert.equal(holder.held.mode, "copy");
      assert.equal(
        holder.held.error,
        "Volume Mount Error: no sshfs in PATH; install sshfs; volumes of up to 16 MiB are copied; " +
          "larger than 16 MiB, so not copied: /data",
      );
      const tree = () => holder.sh("find . -type f -printf '%P %m\n' | sort");
      assert.equal(await tree(), "etc/config/colour 600\nsecret/password 600");
      assert.equal(await holder.sh("cat secret/password"), "open sesame");
      await pod.sh("rm data/too-large; echo blue >secret/colour");
      await holder.untilError(/copied$/);
      assert.equal(
        await tree(),
        "data/directory/deep 600\ndata/inside 600\ndata/link-inside 600\ndata/link-to-directory/deep 600\n" +
          "data/run 700\netc/config/colour 600\nsecret/colour 600\nsecret/password 600",
      );
      await pod.sh("rm secret/colour; echo of course >secret/password");
      await waitFor(
        "changed copy",
        async () =>
          (await holder.sh("cat secret/*")) === "of course" || "another",
      );
      await pod.endStreams();
      await pod.sh("echo again >secret/password");
      await waitFor(
        "copy after another stream",
        async () =>
          (await holder.sh("cat secret/password")) === "again" || "another",
      );
      await holder.close();
      assertSameState(await laptop.snapshot(), before);
    },
  );

  await t.step(
    "copies are removed after kill -9, and nothing else",
    async () => {
      const place = "/home/tp-test/place";
      await using holder = await start({ mode: "copy", mountPoint: place });
      assert.equal(holder.held.error, undefined);
      await holder.sh("echo mine >mine");
      await holder.kill();
      await VolumesHolder.repair(laptop);
      const { stdout } = await laptop.run(["find", place, "-type", "f"]);
      assert.equal(stdout, `${place}/mine\n`);
      await laptop.run(["rm", "-r", place]);
      assertSameState(await laptop.snapshot(), before);
    },
  );

  await t.step(
    "where /dev/fuse is closed, or mounting refused, the reason is told",
    async () => {
      await laptop.run(["chmod", "600", "/dev/fuse"]);
      await using closed = await start();
      assert.match(
        closed.held.error ?? "",
        /\/dev\/fuse is not open to this user/,
      );
      assert.equal(await closed.sh("cat data/inside"), "inside");
      await closed.close();
      await laptop.run(["chmod", "666", "/dev/fuse"]);
      // A container's fusermount3 has no rights.
      await laptop.run([
        "sh",
        "-c",
        "cp /usr/bin/fusermount3 /run/fusermount3 && mount --bind /run/fusermount3 /usr/bin/fusermount3",
      ]);
      await using refused = await start();
      assert.match(
        refused.held.error ?? "",
        /fusermount3: .*; volumes of up to 16 MiB are copied$/,
      );
      assert.equal(refused.held.mode, "copy");
      assert.equal(await refused.sh("cat data/inside"), "inside");
      await refused.close();
    },
  );
});
