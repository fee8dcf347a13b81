/**
 * The guard: a shell script that undoes what the daemon changed when the daemon is killed, stopped or hangs. It shares
 * nothing with the daemon but the journal, needs no more than a POSIX shell, `sleep`, `rm`, `rmdir`, and what the parts of
 * its system name.
 *
 * - A daemon that is stopped (twice seen so, 0.4 s apart) or gives no sign of life for 8 s is killed first, so that it
 *   cannot wake up in the middle of the undoing.
 * - It undoes only what its own daemon wrote down: a journal of another daemon is none of its business.
 * - What it cannot undo (no `ip`) stays in the journal for the next `tp` command.
 */
import { darwinGuard } from "./_guard_darwin.ts";
import { linuxGuard } from "./_guard_linux.ts";

/** Words of the journal, each with what undoes it. */
const undoing = {
  linux: 'resolver) restore_resolver "$a" "$b" "$c" ;;',
  darwin: 'resolver-files) remove_resolver_files "$a" ;;',
};

export function guardScript(os: "linux" | "darwin"): string {
  return `#!/bin/sh
# Written by tp. Undoes what the daemon changed on this host when the daemon dies.
# Usage: guard.sh PID START RUN_DIRECTORY
set -f
PATH=/usr/sbin:/usr/bin:/sbin:/bin
trap '' HUP INT TERM
pid=$1 start=$2 run=$3 script=$0
stopped=0 silent=0 last=

${os === "darwin" ? darwinGuard : linuxGuard}

watch() {
  look || return 1
  case $state in
    T) stopped=$((stopped + 1)) ;;
    *) stopped=0 ;;
  esac
  count=
  read -r count 2>/dev/null <"$run/beat"
  if [ "$count" = "$last" ]; then silent=$((silent + 1)); else silent=0 last=$count; fi
  [ $stopped -lt 2 ] && [ $silent -lt 20 ]
}

undo() {
  read -r word owner since <"$run/journal" && [ "$word $owner $since" = "daemon $pid $start" ] || return 0
  clean=yes
  while read -r word a b c; do
    case $word in
      ${undoing[os]}
      unreachable) delete_unreachable "$a" "$b" ;;
      device) delete_device "$a" "$b" ;;
    esac || clean=no
  done <"$run/journal"
  [ $clean = yes ] || return 0
  rm -f "$run/journal" "$run/beat" "$run/daemon.sock" "$script"
  rmdir "$run"
}

while watch; do sleep 0.4; done
look && kill -9 "$pid" 2>/dev/null
undo 2>/dev/null
exit 0
`;
}
