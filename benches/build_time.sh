#!/usr/bin/env bash
# Builds our types of all versions and ocpp-kit's from nothing, in turns, and compares the processor time they take.
# ocpp-kit has no smaller set of features with all messages than its default, which holds its frames and its engine too.
# usage: benches/build_time.sh [ROUNDS]
set -euo pipefail
rounds="${1:-3}"
types="$(cd "$(dirname "$0")/../ocpp-types" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
unset CARGO_TARGET_DIR
export CARGO_INCREMENTAL=0
TIMEFORMAT='%U %S'

package() { # directory dependency
    mkdir -p "$work/$1/src"
    touch "$work/$1/src/lib.rs"
    printf '[package]\nname = "%s"\nedition = "2024"\n[dependencies]\n%s\n[workspace]\n' "$1" "$2" >"$work/$1/Cargo.toml"
    cargo fetch --quiet --manifest-path "$work/$1/Cargo.toml"
}

seconds() { # command…: its user and system seconds
    { time "$@" >/dev/null 2>"$work/log" || cat "$work/log" >&3; } 2>&1 | awk '{ printf "%.1f", $1 + $2 }'
}

one() { # directory package profile
    cd "$work/$1"
    rm -rf target
    local all alone
    all="$(seconds cargo build --profile "$3")"
    cargo clean --quiet --profile "$3" --package "$2"
    alone="$(seconds cargo build --profile "$3")"
    echo "$3 $1 $all $alone" | tee -a "$work/results"
}

exec 3>&2
package ours "ocpp-core-types = { path = \"$types\" }"
package kit 'ocpp-kit = "=0.3.0"'
echo 'profile, whose, processor seconds with dependencies, without'
for ((round = 0; round < rounds; round++)); do
    for profile in dev release; do
        one ours ocpp-core-types "$profile"
        one kit ocpp-kit "$profile"
    done
done
echo
echo '| median of '"$rounds"' | ours, s | ocpp-kit, s | ours / ocpp-kit |'
echo '|---|--:|--:|--:|'
for profile in dev release; do
    for column in 3 4; do
        median() { awk -v p="$profile" -v w="$1" -v c="$column" '$1 == p && $2 == w { print $c }' "$work/results" | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
        [ "$column" = 3 ] && what='with dependencies' || what='alone'
        ours="$(median ours)" kit="$(median kit)"
        echo "| $profile, $what | $ours | $kit | $(awk "BEGIN { printf \"%.2f\", $ours / $kit }") |"
    done
done
