/**
 * What the guard does on macOS. Needs `ps`, `ifconfig`, `route`, `rmdir` and `killall`.
 *
 * - The daemon is its parent for as long as it lives: that tells it from a later process of the same number.
 * - A utun goes when nobody has it open any more. Until then it is left without addresses, and so without routes.
 */
import {
  resolverFileMarker,
  resolverFilePrefix,
} from "../dns/edges/resolver_directory_edge.ts";

export const darwinGuard = `look() {
  set -- $(ps -o ppid= -p $$)
  [ "$1" = "$pid" ] || return 1
  set -- $(ps -o stat= -p "$pid")
  state=\${1%"\${1#?}"}
  case $state in Z | '') return 1 ;; esac
}

remove_resolver_files() { # DIRECTORY
  found=no
  set +f
  for file in "$1"/${resolverFilePrefix}*; do
    first=
    IFS= read -r first 2>/dev/null <"$file"
    [ "$first" = '${resolverFileMarker}' ] || continue
    rm -f "$file" || return 1
    found=yes
  done
  set -f
  [ $found = yes ] || return 0
  rmdir "$1"
  killall -HUP mDNSResponder
  return 0
}

delete_device() { # NAME INDEX
  case "$(ifconfig -v "$1" 2>/dev/null) " in
    *" index $2"[!0-9]*) ;;
    *) return 0 ;;
  esac
  ifconfig "$1" | while read -r family address rest; do
    case "$family $address" in
      'inet6 fe80:'*) ;;
      'inet '* | 'inet6 '*) ifconfig "$1" "$family" "$address" delete ;;
    esac
  done
  ifconfig "$1" down
  return 0
}

delete_unreachable() { # SUBNET METRIC
  case $1 in
    *:*) family=-inet6 ;;
    *) family=-inet ;;
  esac
  route -n delete $family "$1" >/dev/null
  return 0
}`;
