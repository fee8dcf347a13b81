import { createHash } from "node:crypto";
import { join } from "node:path";
import { type Cluster } from "./cluster.ts";
import { must, run } from "./command.ts";
import { privateCopies } from "./mounts.ts";
import {
  installPackages,
  libraryPackages,
  unpacked,
  unpackPackages,
} from "./packages.ts";
import { cacheDir, repositoryDir, statePath } from "./paths.ts";
import { step } from "./step.ts";

/**
 * Builds Dockerfile.manager around an executable without a registry, and brings the image to the cluster's nodes.
 *
 * @param name what the manager's pods will ask for, with registry and tag
 */
export async function buildManagerImage(
  cluster: Cluster,
  { executable, name }: { executable: string; name: string },
): Promise<void> {
  await installPackages();
  await step(`image ${name}`, async () => {
    await cluster.importImage(await writeManagerImage({ executable, name }));
  });
}

/** @returns the path of the image's tar, as `docker save` writes it */
export async function writeManagerImage(
  { executable, name }: { executable: string; name: string },
): Promise<string> {
  const base = await baseImage();
  const context = await Deno.makeTempDir({ prefix: "tp-image-" });
  try {
    await Deno.copyFile(executable, join(context, "tp"));
    const dockerfile = join(repositoryDir, "Dockerfile.manager");
    const build = ["bud", "--isolation", "chroot", "--pull-never", "--quiet"];
    await buildah(
      [...build, "--build-arg", `BASE=${base}`, "-f", dockerfile, "-t", name]
        .concat(context),
    );
    await Deno.mkdir(statePath("images"), { recursive: true });
    const path = statePath("images", `${name.replace(/\W+/g, "-")}.tar`);
    await Deno.remove(path).catch(() => {});
    await buildah(["push", "--quiet", name, `docker-archive:${path}:${name}`]);
    await buildah(["rmi", name]);
    return path;
  } finally {
    await Deno.remove(context, { recursive: true });
  }
}

/** A base image that holds what Dockerfile.manager installs otherwise, and little more; made once, from Debian packages. */
async function baseImage(): Promise<string> {
  const { base, baseWithLibraries } = unpacked;
  const debian = await unpackPackages([
    ...new Set([
      ...base,
      ...baseWithLibraries,
      ...await libraryPackages(baseWithLibraries),
    ]),
  ]);
  const key = createHash("sha256").update(debian).digest("hex").slice(0, 12);
  const name = `localhost/tp-base:${key}`;
  const found = await run(buildahCommand(["inspect", "--type", "image", name]));
  if (found.code === 0) return name;
  const root = await Deno.makeTempDir({ prefix: "tp-base-" });
  try {
    await writePrograms(root, debian);
    await writeAccounts(root);
    await writeCertificates(root, debian);
    const container = (await buildah(["from", "scratch"])).trim();
    await buildah(["add", "--quiet", container, root, "/"]);
    await buildah(["commit", "--quiet", "--rm", container, name]);
    return name;
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** All that the packages hold but documents; /bin, /lib and the like are links to those in /usr, as Debian has them. */
async function writePrograms(root: string, debian: string): Promise<void> {
  const copied = ["bin", "sbin", "lib", "lib64"].flatMap((name) => [
    { from: name, to: join("usr", name) },
    { from: join("usr", name), to: join("usr", name) },
  ]);
  for (const { from, to } of [...copied, { from: "etc", to: "etc" }]) {
    const source = join(debian, from);
    if (!await Deno.stat(source).then(() => true, () => false)) continue;
    await Deno.mkdir(join(root, to), { recursive: true });
    await must(["cp", "-a", `${source}/.`, join(root, to)]);
  }
  await Deno.mkdir(join(root, "usr/local/bin"), { recursive: true });
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    await Deno.symlink(join("usr", name), join(root, name));
  }
}

async function writeAccounts(root: string): Promise<void> {
  const files = {
    "passwd":
      "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n",
    "group": "root:x:0:\nnonroot:x:65532:\n",
    "nsswitch.conf": "hosts: files dns\n",
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(root, "etc", name), text);
  }
  await Deno.mkdir(join(root, "tmp"));
  await Deno.chmod(join(root, "tmp"), 0o1777);
}

/** The public authorities in one file, where OpenSSL and its like look for them. */
async function writeCertificates(root: string, debian: string): Promise<void> {
  const directory = join(debian, "usr/share/ca-certificates/mozilla");
  const bundle: string[] = [];
  for await (const { name } of Deno.readDir(directory)) {
    bundle.push(await Deno.readTextFile(join(directory, name)));
  }
  const path = join(root, "etc/ssl/certs/ca-certificates.crt");
  await Deno.mkdir(join(root, "etc/ssl/certs"), { recursive: true });
  await Deno.writeTextFile(path, bundle.sort().join(""));
}

async function buildah(args: readonly string[]): Promise<string> {
  return await must(buildahCommand(args), { timeoutMs: 180_000 });
}

/** buildah with a store of its own (vfs works in any container) and nothing left behind in /etc and /var/lib. */
function buildahCommand(args: readonly string[]): string[] {
  const store = join(cacheDir, "buildah");
  const script = `${privateCopies(["/etc", "/var/lib"])}\nexec "$@"`;
  return ["unshare", "--mount", "--propagation", "slave", "sh", "-euc", script]
    .concat("sh", "buildah", "--root", store, "--runroot", join(store, "run"))
    .concat("--storage-driver", "vfs", ...args);
}
