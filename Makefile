# The front door for people who build. CMake does the work; `tools/setup` installs what is missing.
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
SLURM_PLUGIN_DIR ?= $(firstword $(wildcard /usr/lib/*/slurm-wlm /usr/lib/*/slurm /usr/lib64/slurm))

.DEFAULT_GOAL := build
.PHONY: build install install-plugin dev test test-integration lint check bench bench-report bench-slurm clean

build: ## build/bin/asbb, build/bin/asbb-service and build/lib/slurm/job_submit_budget.so
	cmake --preset release
	cmake --build --preset release

install: build ## programs, man pages, systemd's files under PREFIX; the default settings, if there are none
	DESTDIR="$(DESTDIR)" cmake --install build --strip --prefix "$(PREFIX)"
	install -d -m 0755 "$(DESTDIR)$(SYSCONFDIR)/asbb"
	test -e "$(DESTDIR)$(SYSCONFDIR)/asbb/config.yaml" || { \
	  build/bin/asbb config init - >build/config.yaml && \
	  install -m 0644 build/config.yaml "$(DESTDIR)$(SYSCONFDIR)/asbb/config.yaml"; }

install-plugin: build ## the plugin into Slurm's plugin folder (SLURM_PLUGIN_DIR)
	test -n "$(SLURM_PLUGIN_DIR)" || { echo "set SLURM_PLUGIN_DIR to Slurm's PluginDir" >&2; exit 1; }
	install -D -m 0755 build/lib/slurm/job_submit_budget.so \
	  "$(DESTDIR)$(SLURM_PLUGIN_DIR)/job_submit_budget.so"

dev: ## the sanitized build in build/dev
	cmake --preset dev
	cmake --build --preset dev

test: ## every test; the same as tools/test
	tools/test

test-integration: ## the tests on real Slurm only
	tools/test integration

lint: ## format, shell, spelling and YAML
	tools/lint

check: ## format, lint and the fast tests
	tools/check

bench: ## bench/RESULTS.md: holds per second on this machine
	tools/bench

bench-report: ## bench/RESULTS.md: a report over a million jobs
	tools/bench-report

bench-slurm: ## bench/RESULTS.md and bench/results.json: submissions to real Slurm, with asbb and without
	tools/bench-slurm

clean:
	rm -rf build
