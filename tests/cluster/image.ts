import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { must } from "./command.ts";
import { statePath } from "./paths.ts";

/** An image to be written: a root directory of its own and how to start what is in it. */
export interface ImageContent {
  /** With registry and tag, as in "docker.io/local/tools:1": nothing else names an imported image. */
  readonly name: string;
  readonly entrypoint: readonly string[];
  /** Variables beside PATH. */
  readonly env?: Readonly<Record<string, string>>;
  /** Files by path in the image, each with the file that it is copied from. */
  readonly files?: Readonly<Record<string, string>>;
  /** Files by path in the image, each with its text. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Symbolic links by path, each with what it points to. */
  readonly links?: Readonly<Record<string, string>>;
}

/**
 * Writes an image with one layer, in the form of `docker save`.
 *
 * @returns the tar's path
 */
export async function writeImage(image: ImageContent): Promise<string> {
  const scratch = await Deno.makeTempDir({ prefix: "tp-image-" });
  try {
    const root = join(scratch, "root");
    await fill(root, image);
    const layer = join(scratch, "layer.tar");
    await tar(root, layer, ["."]);
    const digest = createHash("sha256").update(await Deno.readFile(layer))
      .digest("hex");
    const { config, manifest } = describe(image, digest);
    await Deno.writeTextFile(join(scratch, "config.json"), config);
    await Deno.writeTextFile(join(scratch, "manifest.json"), manifest);
    await Deno.mkdir(statePath("images"), { recursive: true });
    const path = statePath("images", `${image.name.replace(/\W+/g, "-")}.tar`);
    await tar(scratch, path, ["config.json", "layer.tar", "manifest.json"]);
    return path;
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The two documents that a `docker save` archive holds beside its layer. */
export function describe(
  image: ImageContent,
  layerDigest: string,
): { config: string; manifest: string } {
  const config = {
    architecture: Deno.build.arch === "aarch64" ? "arm64" : "amd64",
    os: "linux",
    config: {
      Entrypoint: image.entrypoint,
      Env: [
        "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        ...Object.entries(image.env ?? {}).map(([name, value]) =>
          `${name}=${value}`
        ),
      ],
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${layerDigest}`] },
  };
  const manifest = [
    { Config: "config.json", RepoTags: [image.name], Layers: ["layer.tar"] },
  ];
  return { config: JSON.stringify(config), manifest: JSON.stringify(manifest) };
}

/** A program together with the shared libraries that it loads, each under its own path. */
export async function withLibraries(
  program: string,
): Promise<Record<string, string>> {
  const files: Record<string, string> = { [program]: program };
  for (const line of (await must(["ldd", program])).split("\n")) {
    const path = line.match(/(?:=> )?(\/\S+) \(0x/)?.[1];
    if (path !== undefined) files[path] = path;
  }
  return files;
}

async function fill(root: string, image: ImageContent): Promise<void> {
  await Deno.mkdir(root, { mode: 0o755 });
  await Deno.mkdir(join(root, "tmp"));
  await Deno.chmod(join(root, "tmp"), 0o1777);
  for (const [path, from] of Object.entries(image.files ?? {})) {
    await parent(root, path);
    await Deno.copyFile(from, join(root, path));
  }
  for (const [path, text] of Object.entries(image.texts ?? {})) {
    await parent(root, path);
    await Deno.writeTextFile(join(root, path), text);
  }
  for (const [path, target] of Object.entries(image.links ?? {})) {
    await parent(root, path);
    await Deno.symlink(target, join(root, path));
  }
}

async function parent(root: string, path: string): Promise<void> {
  await Deno.mkdir(dirname(join(root, path)), { recursive: true });
}

async function tar(
  directory: string,
  path: string,
  members: readonly string[],
): Promise<void> {
  await must(
    ["tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0"]
      .concat("--numeric-owner", "-C", directory, "-cf", path, ...members),
  );
}
