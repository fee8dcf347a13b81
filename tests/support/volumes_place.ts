import { Laptop, openCluster } from "../cluster/mod.ts";
import { VolumesHolder } from "./volumes_holder.ts";
import { VolumesPod } from "./volumes_pod.ts";

/** Volumes as kubelet and apps make them. */
const fill = `
umask 022
mkdir -p etc/config/..2026_1 secret data/directory
echo green >etc/config/..2026_1/colour
ln -s ..2026_1 etc/config/..data
ln -s ..data/colour etc/config/colour
echo 'open sesame' >secret/password
chmod 600 secret/password
cd data
echo inside >inside
echo '#!/bin/sh\necho ran' >run
chmod 755 run
ln -s inside link-inside
ln -s /etc/passwd link-to-passwd
ln -s ../../../../../../../etc/passwd link-up
ln -s .. link-around
ln -s /nowhere link-dangling
ln -s directory link-to-directory
echo deep >directory/deep
`;

/** A ConfigMap changes: kubelet swaps a link. */
export const swap = `
mkdir etc/config/..2026_2
echo red >etc/config/..2026_2/colour
ln -s ..2026_2 etc/config/..data_tmp
mv -T etc/config/..data_tmp etc/config/..data
rm -r etc/config/..2026_1
`;

/** A laptop and a pod with volumes, and the laptop as it was before it had any. */
export interface VolumesPlace extends AsyncDisposable {
  readonly laptop: Laptop;
  readonly pod: VolumesPod;
  /** The laptop's snapshot. */
  readonly before: string;
  start(
    options?: Parameters<typeof VolumesHolder.start>[2],
  ): Promise<VolumesHolder>;
}

export async function openVolumesPlace(): Promise<VolumesPlace> {
  const stack = new AsyncDisposableStack();
  const laptop = stack.use(await Laptop.open(await openCluster()));
  const pod = stack.use(await VolumesPod.start(fill));
  // What a first run of Deno leaves is no matter of volumes.
  await VolumesHolder.repair(laptop);
  return {
    laptop,
    pod,
    before: await laptop.snapshot(),
    start: (options = {}) =>
      VolumesHolder.start(laptop, pod, { directory: pod.volumes, ...options }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
