#!/usr/bin/env bash
# Counts the instructions of one frame read and one message written, ours beside bare serde, and of a call in a session. Unlike times, counts repeat.
# Needs valgrind. usage: benches/instructions.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --package benches --profile bench --bin instructions
program="${CARGO_TARGET_DIR:-target}/release/instructions"

count() { # who direction message times
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 | sed -n 's/.*Collected : //p'
}

each() { # who direction message: the instructions of one turn, without those of starting the program
    echo $((($(count "$@" 1100) - $(count "$@" 100)) / 1000))
}

echo '| instructions | bare | ours | ours / bare |'
echo '|---|--:|--:|--:|'
names=('1.6 BootNotification' '1.6 MeterValues' '2.1 BootNotification' '2.1 TransactionEvent')
for message in "${!names[@]}"; do
    for direction in decode encode; do
        bare=$(each bare "$direction" "$message")
        ours=$(each ours "$direction" "$message")
        echo "| ${names[message]}, $direction | $bare | $ours | $(awk "BEGIN { printf \"%.2f\", $ours / $bare }") |"
    done
done

echo
echo '| instructions of a call in the session of a CSMS | |'
echo '|---|--:|'
calls=('1.6 Heartbeat' '1.6 MeterValues, 10 samples, of no transaction' '1.6 MeterValues, 10 samples, of a transaction')
for call in "${!calls[@]}"; do
    echo "| ${calls[call]} | $(each session serve "$call") |"
done
