import assert from "node:assert/strict";
import { describe } from "./image.ts";

Deno.test("describe() ties the image's name to its one layer", () => {
  const image = { name: "docker.io/local/x:1", entrypoint: ["/x"] };
  const { config, manifest } = describe(image, "abc");
  assert.deepEqual(JSON.parse(config).rootfs, {
    type: "layers",
    "diff_ids": ["sha256:abc"],
  });
  assert.deepEqual(JSON.parse(config).config.Entrypoint, ["/x"]);
  assert.deepEqual(JSON.parse(manifest), [{
    Config: "config.json",
    RepoTags: ["docker.io/local/x:1"],
    Layers: ["layer.tar"],
  }]);
});
