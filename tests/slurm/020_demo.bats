#!/usr/bin/env bats
# The README's first command, with the build that is installed: the main job of asbb, told and checked by itself. A machine
# that compiles and tests meanwhile gets more patience than the 50 ms of real life.

load helpers

@test "the demo's whole story holds" {
  cd "$SLURM_TESTS/../.."
  run nice timeout 1200 env DEMO_PLUGIN_ARGUMENTS=timeout_ms=1000 tools/demo
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"All of it held."* ]]
}
