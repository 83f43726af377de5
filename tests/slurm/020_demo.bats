#!/usr/bin/env bats
# The README's first command: the main job of asbb, told and checked by itself.

load helpers

@test "the demo's whole story holds" {
  cd "$SLURM_TESTS/../.."
  run timeout 600 env ASBB_BUILD_DIR="$(programs_folder)" DEMO_PLUGIN_ARGUMENTS=timeout_ms=1000 tools/demo
  echo "$output"
  [ "$status" = 0 ]
  [[ $output == *"All of it held."* ]]
}
