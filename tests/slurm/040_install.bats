#!/usr/bin/env bats
# What `make install` and `make install-plugin` lay down, and that it runs from there.

load helpers

setup_file() {
  cd "$SLURM_TESTS/../.." || return
  DESTINATION=$(mktemp -d)
  export DESTINATION
  make install install-plugin DESTDIR="$DESTINATION" PREFIX=/usr >"$DESTINATION/make.log" 2>&1 || {
    cat "$DESTINATION/make.log"
    return 1
  }
  export PATH=$DESTINATION/usr/bin:$PATH ASBB_CONFIG_FILE=$DESTINATION/etc/asbb/config.yaml
}

teardown_file() { rm -rf "$DESTINATION"; }

@test "programs, man pages, completion, systemd's files, settings and the plugin are there" {
  cd "$DESTINATION"
  [ -x usr/bin/asbb ]
  [ -x usr/bin/asbb-service ]
  [ -x usr/bin/asbb-recovery ]
  man --local-file usr/share/man/man1/asbb-recovery.1* | grep -q -e --dry-run
  man --local-file usr/share/man/man1/asbb-account-create.1* | grep -q -e --budget
  bash -c '. usr/share/bash-completion/completions/asbb && complete -p asbb'
  grep -q '^User=asbb' usr/lib/systemd/system/asbb-service.service
  grep -q '^ExecStart=/usr/bin/asbb slurm sync-accounts' usr/lib/systemd/system/asbb-sync-accounts.service
  grep -q '^OnCalendar=' usr/lib/systemd/system/asbb-sync-accounts.timer
  grep -q '^ExecStart=/usr/bin/asbb report weekly' usr/lib/systemd/system/asbb-weekly-reports.service
  grep -q '^Persistent=true' usr/lib/systemd/system/asbb-weekly-reports.timer
  grep -q '^ExecStart=/usr/bin/asbb slurm fence --cluster=' usr/lib/systemd/system/asbb-slurm-fence.service
  [ -z "$(find usr/share/asbb/cron.d -type f | grep -vE '/[A-Za-z0-9_-]+$')" ] # cron passes over other names
  mkdir -p units
  for unit in usr/lib/systemd/system/asbb-{slurm-fence,sync-accounts,weekly-reports}.*; do sed "s|=/usr/bin/|=$DESTINATION/usr/bin/|" "$unit" >"units/${unit##*/}"; done
  systemd-analyze verify --man=no units/asbb-*
  grep -q '^u asbb' usr/lib/sysusers.d/asbb.conf
  grep -q '/var/lib/asbb' usr/lib/tmpfiles.d/asbb.conf
  [ "$(stat -c %a etc/asbb/config.yaml)" = 644 ]
  [ -n "$(find . -name job_submit_budget.so)" ]
}

# Prints what a line for cron runs, with FILE in the place of its file of /etc/default.
cron_runs() { # NAME [FILE]
  local line
  line=$(grep -v '^#' "$DESTINATION/usr/share/asbb/cron.d/$1")
  grep -qE '^[0-9]+ [0-9]+ \* \* [*1] asbb ' <<<"$line"
  line=${line#* asbb }
  line=${line//"/etc/default/$1"/${2:-$DESTINATION/no-such-file}}
  sh -c "${line/"/usr/bin/asbb "/echo } >&2" 2>&1
}

@test "the lines for cron run the same commands as the timers, with the flags of /etc/default" {
  [ "$(cron_runs asbb-slurm-fence | sed 's/ *$//')" = "slurm fence --cluster=cloud" ]
  [ "$(cron_runs asbb-sync-accounts)" = "slurm sync-accounts --from=onprem --to=cloud" ]
  [ "$(cron_runs asbb-weekly-reports)" = "report weekly --directory=/var/lib/asbb/reports" ]
  file=$DESTINATION/defaults
  printf '%s\n' FROM=cloud TO=onprem CLUSTER=onprem "OPTIONS='--email --time-zone=Europe/Paris'" >"$file"
  more='--email --time-zone=Europe/Paris'
  [ "$(cron_runs asbb-slurm-fence "$file")" = "slurm fence --cluster=onprem $more" ]
  [ "$(cron_runs asbb-sync-accounts "$file")" = "slurm sync-accounts --from=cloud --to=onprem $more" ]
  [ "$(cron_runs asbb-weekly-reports "$file")" = "report weekly --directory=/var/lib/asbb/reports $more" ]
}

@test "the installed settings are right, and a second install keeps what an administrator changed" {
  run asbb config validate
  echo "$output"
  [ "$status" = 0 ]
  echo '# mine' >>"$ASBB_CONFIG_FILE"
  make -C "$SLURM_TESTS/../.." install DESTDIR="$DESTINATION" PREFIX=/usr
  tail -n 1 "$ASBB_CONFIG_FILE" | grep -qx '# mine'
}

@test "the installed service starts with them, answers and stops" {
  export ASBB_DATABASE_DSN=$DESTINATION/asbb.db ASBB_DATABASE_CHAIN_KEY_FILE=$DESTINATION/chain.key
  export ASBB_SERVICE_SOCKET=$DESTINATION/asbb.sock ASBB_SERVICE_LISTEN_ADDR=
  asbb database migrate
  asbb-service 3>&- &
  wait_until 20 asbb service status
  run asbb account list
  [ "$status" = 0 ]
  run asbb doctor
  echo "$output"
  [ "$status" = 0 ]
  kill "$!"
  wait "$!"
}
