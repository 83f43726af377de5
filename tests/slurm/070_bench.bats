#!/usr/bin/env bats
# The benchmark of submissions, with a few of them: that it runs from nothing to a page and a file for programs, and
# leaves alone what another benchmark wrote there. It says nothing about speed.

load helpers

setup_file() { export PATH=$(programs_folder)/tests:$PATH; }

@test "submit_load counts what was accepted and what was not, with any command" {
  run submit_load --count=6 --processes=3 -- true
  [ "$status" = 0 ]
  [[ $output == "processes 3 accepted 6 refused 0 p50 "*" rate "* ]]
  run submit_load --count=6 --processes=3 --json -- false
  [ "$status" = 3 ]
  jq -e '.accepted == 0 and .refused == 6 and .p50_ms > 0 and .p50_ms <= .p90_ms and .p90_ms <= .p99_ms
    and .p99_ms <= .max_ms and .rate_per_s > 0' <<<"$output"
  run submit_load --count=1 -- sh -c 'sleep 0.05'
  [[ $output =~ p50\ ([0-9]+)\. ]]
  [ "${BASH_REMATCH[1]}" -ge 50 ]
}

@test "submit_load says what it does not know" {
  local bad
  for bad in --count=0 --count=1x --processes=0 --processes=5000 acount=proj001 account; do
    run submit_load "$bad"
    [ "$status" = 2 ]
    [[ $output == *"what is '$bad'?"* ]]
  done
  run submit_load --count=1 --
  [ "$status" = 2 ]
}

@test "tools/bench-slurm writes its section and its figures, and keeps the others" {
  local folder=$BATS_TEST_TMPDIR
  printf '# Measured speed\n\nNumbers.\n\n## Something else\n\nstays\n' >"$folder/RESULTS.md"
  echo '{"something_else": {"stays": 1}}' >"$folder/results.json"
  run env ASBB_BUILD_DIR="$(programs_folder)" BENCH_PLUGIN_ARGUMENTS=timeout_ms=1000 \
    "$SLURM_TESTS/../../tools/bench-slurm" --rounds=1 --submissions=16 --disk="${TMPDIR:-/tmp}" --output="$folder"
  echo "$output"
  [ "$status" = 0 ]
  cat "$folder/results.json"
  jq -e '.something_else.stays == 1' "$folder/results.json"
  jq -e '.slurm_submissions | .rounds == 1 and .sync_ms.p50_ms > 0 and (.slurm | test("^[0-9]+[.]"))
    and .machine.cores > 0 and (.aims | length == 4)
    and ([.shares | (.added_ms, .plugin_socket_answer_ms, .sync_ms, .ledger_and_database_ms) | type == "number"] | all)
    and ([.aims[] | (.what, .aim, .measured | type == "string"), (.is_reached | type == "boolean")] | all)' "$folder/results.json"
  jq -e '.slurm_submissions.rows | ([.[] | "\(.variant) \(.processes)"] | sort) ==
    ([("alone", "plugin", "free", "curl", "sbatch", "wrapper") | ("\(.) 1", "\(.) 8")] | sort)' "$folder/results.json"
  jq -e '.slurm_submissions.rows | all(.accepted > 0 and .refused == 0 and .rate_per_s > 0 and .p50_ms > 0
    and .p50_ms <= .max_ms and .of_base_rate > 0 and (.added_p50_ms | type == "number"))' "$folder/results.json"
  grep -qx '## Something else' "$folder/RESULTS.md"
  grep -qx 'stays' "$folder/RESULTS.md"
  grep -qx '## Submissions to Slurm' "$folder/RESULTS.md"
  [ "$(grep -c '^| with asbb, every hold durable |' "$folder/RESULTS.md")" = 2 ]
}
