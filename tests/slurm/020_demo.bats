#!/usr/bin/env bats
# The README's first command, with the build that is installed: the main job of asbb, told and checked by itself. A machine
# that compiles and tests meanwhile gets more patience than the 50 ms of real life.

load helpers

# Numbers, columns' widths and who ran it differ between two runs.
without_figures() { sed -E "s/\b(root|$(id -un))\b/USER/g; s/[0-9]+/0/g; s/ +/ /g; s/^ //; s/ $//"; }
shown_in_readme() {
  sed -n '/^What it looks like/,/^## /p' README.md | sed -n '/^```/,/^```/p' | grep -vE '^(```|\$|\.\.\.|$)'
}

@test "the demo's whole story holds" {
  cd "$SLURM_TESTS/../.."
  run nice timeout 1200 env DEMO_PLUGIN_ARGUMENTS=timeout_ms=1000 tools/demo
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"All of it held."* ]]
  # the README shows what it prints
  [ "$(shown_in_readme | wc -l)" -gt 10 ]
  missing=$(shown_in_readme | without_figures | grep -vxFf <(without_figures <<<"$output") || true)
  echo "in the README, not in the demo: $missing"
  [ -z "$missing" ]
}

@test "so does that of two units" {
  cd "$SLURM_TESTS/../.."
  run nice timeout 1200 env DEMO_PLUGIN_ARGUMENTS=timeout_ms=1000 tools/demo --dual
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"All of it held."* ]]
  # the page needs nothing else
  [ "$(grep -cE '(src|href)="?(http|//)|<script' .demo/report.html)" = 0 ]
}
