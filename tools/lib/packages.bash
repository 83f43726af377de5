# Debian packages: which are missing, and how they are installed without starting a service.
# Sourced; needs say.bash and TOOLS (this folder's parent).
# shellcheck shell=bash disable=SC2154

POLICY=/usr/sbin/policy-rc.d
POLICY_MARK="# for the moment of an install by asbb's tools/setup"

# packages_of SET...: the names in tools/packages/SET.txt, one a line.
packages_of() {
  local set
  for set in "$@"; do
    [ -f "$TOOLS/packages/$set.txt" ] || die "no such set: $set (build, test, slurm, all)"
    sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$TOOLS/packages/$set.txt"
  done
}

packages_missing() {
  local wanted
  wanted=$(packages_of "$@") || exit 1
  # dpkg-query fails when it does not know one of them
  # shellcheck disable=SC2086 # one word for each package
  { dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null || true; } |
    awk -v wanted="$wanted" '
            $1 == "installed" { have[$2] = 1 }
            END {
                count = split(wanted, names, "\n")
                for (i = 1; i <= count; i++) if (!(names[i] in have)) print names[i]
            }'
}

packages_install() {
  local status=0
  # two installs at a time would each put back the other's policy; the lock ends with this process
  exec 9</usr/sbin
  flock 9
  trap policy_restore EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  policy_restore
  policy_forbid
  if ! lists_fresh || ! apt_install "$@"; then
    say "reading the package lists anew"
    apt-get -q -o DPkg::Lock::Timeout=600 update >&2 || die "apt-get update failed"
    apt_install "$@" || status=$?
  fi
  services_stay_off "$@"
  policy_restore
  trap - EXIT INT TERM HUP
  [ $status = 0 ] || die "apt-get install failed"
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 \
    -o Dpkg::Options::=--force-confold install --no-install-recommends "$@" >&2 </dev/null
}

# Package lists that were read within a day.
lists_fresh() {
  [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 2>/dev/null |
    head -n 1)" ]
}

policy_forbid() {
  if [ -e $POLICY ] || [ -L $POLICY ]; then mv -f $POLICY $POLICY.before-asbb; fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >$POLICY.asbb
  chmod 755 $POLICY.asbb
  mv -f $POLICY.asbb $POLICY
}

# Also mends what an install that was killed has left.
policy_restore() {
  if [ -f $POLICY ] && grep -qF "$POLICY_MARK" $POLICY; then rm -f $POLICY; fi
  if [ -e $POLICY.before-asbb ] || [ -L $POLICY.before-asbb ]; then
    mv -f $POLICY.before-asbb $POLICY
  fi
}

# A service that came with this install does not start at the next boot either.
services_stay_off() {
  command -v systemctl >/dev/null || return 0
  local package
  for package in "$@"; do
    case $package in
    munge | slurmctld | slurmd | slurmdbd) systemctl --quiet disable "$package" ;;
    mariadb-server) systemctl --quiet disable mariadb ;;
    esac
  done >/dev/null 2>&1 || true
}
