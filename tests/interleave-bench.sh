#!/usr/bin/env bash
# Real training and inference on one processor core, which stands for the device: turns managed by
# the agent with a plan, against the same two programs left to the operating system, with the trainer
# under `nice`, and alternating one to one. Managed with minibatches that run to their end, as they do
# on a GPU; with training that is preempted, within the same latency budget; and preempted with less
# time for fewer requests at once, to be held against the operating system and against `nice` at their
# own throughputs; in the last row no request waits for another. Medians of several repetitions.
#
#   TRAIN=lstm TRAIN_BATCH=2 INFER=lstm RATE=800 BATCH=8 LATENCY=25 SECONDS_EACH=8 REPEAT=3
#   SOONER_BATCH=4 SOONER_LATENCY=9 SOONEST_BATCH=3 SOONEST_LATENCY=4 AT_ONCE_LATENCY=2
set -euo pipefail
cd "$(dirname "$0")/.."

release=${1:-target/release}
train=${TRAIN:-lstm} train_batch=${TRAIN_BATCH:-2}
infer=${INFER:-lstm} rate=${RATE:-800} batch=${BATCH:-8} latency=${LATENCY:-25}
sooner_batch=${SOONER_BATCH:-4} sooner_latency=${SOONER_LATENCY:-9}
soonest_batch=${SOONEST_BATCH:-3} soonest_latency=${SOONEST_LATENCY:-4}
at_once_latency=${AT_ONCE_LATENCY:-2}
seconds=${SECONDS_EACH:-8} repeat=${REPEAT:-3}
core=0 other=$(( $(nproc) > 1 ? 1 : 0 ))
folder=$(mktemp -d)
cleanup() { kill $(jobs -p) 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"; }
trap cleanup EXIT

field() { sed -E "s/.*\"$2\":([0-9.eE+-]+).*/\1/" "$folder/$1.json"; }

# name of the variant, what to start the trainer with, how to attach, what else to tell the trainer
programs() {
  local sizes; sizes=$(seq -s, 1 "$batch")
  taskset -c $core $2 "$release/fulcrum-workload" train "$train" --batch "$train_batch" \
    --seconds "$((seconds + 2))" $3 ${4:-} > "$folder/train.json" 2> "$folder/train.log" &
  local trainer=$!
  sleep 1
  taskset -c $core "$release/fulcrum-workload" infer "$infer" --rate "$rate" --arrivals poisson \
    --batches "$sizes" --budget-ms "$latency" --seconds "$seconds" $3 \
    > "$folder/infer.json" 2> "$folder/infer.log"
  wait $trainer
  # Programs that are refused go on alone, which is not what their row says.
  if [ "$3" != --alone ] && grep -H "without turns" "$folder"/{train,infer}.log >&2; then
    echo "$1: not measured, since a program took no turns" >&2
    exit 1
  fi
  echo "$1,$(field train minibatches_per_second),$(field infer p50_ms),$(field infer p99_ms),$(awk "BEGIN { print 100 * $(field infer late_ratio) }"),$(field infer mean_batch_size)" \
    >> "$folder/results.csv"
}

managed() { # name of the variant, latency budget, batch, what else to tell the trainer
  local home=$folder/agent
  rm -rf "$home"
  taskset -c $other "$release/fulcrum-agent" --board simulated-orin-agx --sample-interval 1s \
    --socket "$home/agent.sock" --state-dir "$home/state" --log error &
  local agent=$!
  while [ ! -S "$home/workers.sock" ]; do sleep 0.05; done
  taskset -c $other "$release/fulcrum" run --agent "unix://$home/agent.sock" --arrivals constant \
    --train "$train" --train-batch "$train_batch" --infer "$infer" --rate "$rate" \
    --latency "${2}ms" --batch "$3" --largest-batch "$batch" --guard "${GUARD:-0.1}" --attached \
    --for "$((seconds + 4))s" > /dev/null 2>&1 &
  local plan=$!
  sleep 0.3
  programs "$1" "" "--socket $home/workers.sock" "${4:-}"
  kill $plan 2>/dev/null || true
  kill $agent; wait $agent 2>/dev/null || true
}

alternating() {
  taskset -c $other "$release/examples/alternate" "$folder/alternate.sock" 2>/dev/null &
  local alternator=$!
  while [ ! -S "$folder/alternate.sock" ]; do sleep 0.05; done
  programs "one to one" "" "--socket $folder/alternate.sock"
  kill $alternator 2>/dev/null || true; wait $alternator 2>/dev/null || true
}

echo "train $train (minibatches of $train_batch), infer $infer at $rate requests/s (Poisson), latency budget $latency ms, minibatches of at most $batch, on one core; $repeat times $seconds s"
for _ in $(seq "$repeat"); do
  programs "operating system" "" --alone
  programs nice "nice -n 19" --alone
  alternating
  managed "whole minibatches" "$latency" "$batch" --whole-minibatches
  managed preempted "$latency" "$batch"
  managed "preempted sooner" "$sooner_latency" "$sooner_batch"
  managed "preempted soonest" "$soonest_latency" "$soonest_batch"
  managed "preempted at once" "$at_once_latency" 1
done
awk -F, '
  function median(name, column,    n, i, j, t, v) {
    n = 0
    for (i = 1; i <= rows; i++) if (row[i, 1] == name) v[++n] = row[i, column]
    for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++) if (v[j] + 0 < v[i] + 0) { t = v[i]; v[i] = v[j]; v[j] = t }
    return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
  }
  { rows++; for (i = 1; i <= NF; i++) row[rows, i] = $i; if (!($1 in seen)) { seen[$1] = 1; names[++count] = $1 } }
  END {
    printf "%-18s %14s %9s %9s %8s %11s\n", "", "minibatches/s", "p50 ms", "p99 ms", "late %", "mean batch"
    for (n = 1; n <= count; n++) printf "%-18s %14.1f %9.2f %9.2f %8.2f %11.1f\n", names[n], median(names[n], 2), median(names[n], 3), median(names[n], 4), median(names[n], 5), median(names[n], 6)
  }' "$folder/results.csv"
