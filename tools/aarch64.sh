#!/usr/bin/env bash
# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
#
# What needs no ROS, tested on aarch64, and what aarch64 computes, held against x86_64: in two
# Debian systems below .cache/aarch64, of which qemu emulates one.  Nothing needs root.

set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tools/aarch64.sh [COMMAND]

  all (default)   both of these; about an hour the first time, on two cores
  test [ARGS]     the tests of all that needs no ROS, on aarch64; ARGS go to pytest
  compare         embeddings, training, models and samples, held against x86_64
  shell           a shell on aarch64, in a copy of this checkout
  clean           remove both systems (some 3 GB)

The exit code is 0 when no test fails and every row of the comparison is as its column 'wanted'
says.  In the environment:

  CORE=cortex-a76   the core to emulate; default cortex-a72, a Raspberry Pi 4's
  SUITE=trixie      the Debian release, whose Python it is; default bookworm
  DEBIAN_MIRROR=    where to take it from, as mmdebstrap takes it
  PIP_*=            are pip's, and go with it; the file PIP_CERT is copied
TEXT
}

say() { printf '== %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Tests that need ROS, and those of tools and documents, which are the same on every processor.
not_here=(benchmarks client demo fleet/test_ros_process.py fleet_demo/test_robot.py
  gamepad/test_feedback.py
  gamepad/test_gamepad_node.py launch
  node page/browser page/live/test_changes.py page/live/test_holds.py
  page/live/test_trainings.py page/routes page/test_main.py page/test_server.py
  page/video/test_feed.py page/video/test_watching.py replay station
  command_line/test_beside_a_node.py processes/test_imports.py processes/test_joining.py
  processes/test_spinning.py webcam/test_webcam_node.py test_aarch64.py test_branch_coverage.py test_dev_script.py
  test_documents.py test_installation.py test_limits_table.py test_lock_completeness.py
  test_locked_requirements.py test_make_commands.py test_parameter_documents.py test_readme.py
  test_release.py test_reliability_table.py test_repository_files.py test_rosdep_keys.py
  test_setup.py test_setup_on_another_day.py test_source_safety.py test_vision_msgs.py
  test_workspace.py)

# Stop with what is missing.
require_tools() {
  local missing=()
  [ "$(uname -sm)" = 'Linux x86_64' ] ||
    die "this is $(uname -sm), and tools/aarch64.sh is for Linux on x86_64. On aarch64 itself, with" \
      "a ROS 2 sourced, \`make test\` tests all of it."
  command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  command -v arch-test >/dev/null || missing+=(arch-test)
  command -v qemu-aarch64-static >/dev/null || missing+=(qemu-user-static binfmt-support)
  [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
  [ "$(id -u)" = 0 ] || command -v newuidmap >/dev/null || missing+=(uidmap)
  [ ${#missing[@]} = 0 ] || die "install what is missing, and run this again:
  sudo apt-get install ${missing[*]}"
  arch-test arm64 >/dev/null 2>&1 ||
    die 'the kernel does not hand arm64 programs to qemu. On the machine itself (not in a' \
      'container): sudo systemctl restart binfmt-support systemd-binfmt'
}

# ---------------------------------------------------------------------------------------------
# The two systems

# What runs on the inside of the namespaces: `enter ROOT CPUINFO COMMAND ...`.  It stays there as
# the first process, whose part it is to clear away after those that lost their parent.
# shellcheck disable=SC2016 # that shell expands it
enter='
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount --rbind /sys "$1/sys"
if [ -n "$2" ]; then mount --bind "$2" "$1/proc/cpuinfo"; fi
root=$1
shift 2
code=0
/usr/sbin/chroot "$root" "$@" || code=$?
exit $code
'

# Run a command in a system, as its root, in namespaces of its own: on_machine arm64 ls /
on_machine() {
  local architecture=$1 cpuinfo=''
  # An emulator without one of its own shows the host's, from which XNNPACK learns nothing.
  if [ "$architecture" = arm64 ]; then cpuinfo=$place/cpuinfo-$core; fi
  env -u PYTHONPATH -u PYTHONHOME -u VIRTUAL_ENV -u TMPDIR HOME=/root LC_ALL=C.UTF-8 \
    PATH=/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin QEMU_CPU="$core" PIP_CERT="$certificates" \
    mmdebstrap --unshare-helper unshare --pid --fork /bin/sh -c "$enter" \
    enter "$place/$architecture" "$cpuinfo" "${@:2}"
}

# Copy the standard input to a file in a system.
# shellcheck disable=SC2016 # the shell over there expands it
write_to() { on_machine "$1" sh -c 'mkdir -p "$(dirname "$1")" && rm -f "$1" && cat >"$1"' write "$2"; }

# Describe the core as its Linux would: https://docs.kernel.org/arch/arm64/cpu-feature-registers.html
describe_core() {
  local part features='fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid' number
  case $core in
    cortex-a53) part=0xd03 ;;
    cortex-a57) part=0xd07 ;;
    cortex-a72) part=0xd08 ;;
    cortex-a76) part=0xd0b features+=' atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp' ;;
    *) die "CORE is $core; it must be cortex-a53, cortex-a57, cortex-a72 or cortex-a76" ;;
  esac
  for ((number = 0; number < $(nproc); number++)); do
    printf 'processor\t: %d\nBogoMIPS\t: 108.00\nFeatures\t: %s\n' "$number" "$features"
    printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\n'
    printf 'CPU part\t: %s\nCPU revision\t: 3\n\n' "$part"
  done >"$place/cpuinfo-$core"
}

make_system() {
  local architecture=$1
  if [ ! -e "$place/$architecture.ready" ]; then
    say "installing Debian $suite for $architecture"
    remove_system "$architecture"
    mmdebstrap --quiet --mode=unshare --variant=minbase --architectures="$architecture" \
      --include=python3-venv,gcc,libc6-dev,ca-certificates "$suite" "$place/$architecture" \
      ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} || die "mmdebstrap failed; its own words are above"
    touch "$place/$architecture.ready"
  fi
  # shellcheck disable=SC2094 # the other one is in the system
  write_to "$architecture" /etc/resolv.conf </etc/resolv.conf
}

remove_system() {
  rm -f "$place/$1.ready" "$place/$1.txt"
  if [ -e "$place/$1" ]; then
    mmdebstrap --unshare-helper rm -rf --one-file-system "$place/$1"
  fi
}

# Print the locks without ROS, of which there are no wheels for aarch64, and what only builds it.
locked_without_ros() {
  cat requirements/locked/jazzy.txt requirements/locked/jazzy-test.txt |
    awk '/^[a-z]/ { wanted = $0 !~ /^(ros-|colcon-|empy==)/ && !seen[$0]++ } wanted'
}

# Install the locked wheels.  amd64 downloads them for both: emulated, pip is so slow to take what
# a server sends that it is cut off.
add_requirements() {
  local architecture=$1 platforms=(any) minor machine=x86_64
  [ "$architecture" = amd64 ] || machine=aarch64
  locked_without_ros >"$place/wanted.txt"
  cmp -s "$place/wanted.txt" "$place/$architecture.txt" && return 0
  say "installing the locked requirements on $architecture"
  for ((minor = 17; minor <= 36; minor++)); do
    platforms+=("manylinux_2_${minor}_$machine")
  done
  platforms+=("manylinux2014_$machine")
  [ ! -e "${PIP_CERT:-$certificates}" ] ||
    write_to amd64 "$certificates" <"${PIP_CERT:-$certificates}"
  write_to amd64 /requirements.txt <"$place/wanted.txt"
  on_machine "$architecture" python3 -m venv --clear /venv
  on_machine amd64 rm -rf "/wheels/$architecture"
  on_machine amd64 python -m pip download -qq "${pip_options[@]}" --only-binary :all: \
    "${platforms[@]/#/--platform=}" -d "/wheels/$architecture" ||
    die 'pip could not download this; its own words are above'
  [ "$architecture" = amd64 ] || on_machine amd64 tar -c -C / "wheels/$architecture" requirements.txt |
    on_machine "$architecture" tar -x -C /
  on_machine "$architecture" python -m pip install -qq "${pip_options[@]}" \
    --no-compile --no-index --find-links "/wheels/$architecture" ||
    die 'pip could not install this; its own words are above'
  cp "$place/wanted.txt" "$place/$architecture.txt"
}

# Copy what git knows and what it does not ignore.
copy_checkout() {
  on_machine "$1" rm -rf /checkout
  on_machine "$1" mkdir /checkout
  git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar -c --null -T - | on_machine "$1" tar -x --no-same-owner -C /checkout
}

prepare() {
  local architecture
  require_tools
  mkdir -p "$place"
  describe_core
  for architecture in amd64 arm64; do
    make_system "$architecture"
    add_requirements "$architecture"
    copy_checkout "$architecture"
  done
}

# ---------------------------------------------------------------------------------------------
# The commands

# A shell that starts this in the background has SIGINT ignored, by all that tests start as well.
python_here() {
  # An emulated processor is some ten times slower, and so is the longest test.
  on_machine "$1" env -C /checkout --default-signal=INT PYTHONPATH=/checkout \
    TEST_TIME_LIMIT_S=9000 python "${@:2}"
}

do_test() {
  local ignored=("${not_here[@]/#/--ignore=test/}") workers
  prepare
  workers=$(nproc)
  say "testing on $(on_machine arm64 uname -m), $core, $(on_machine arm64 python --version)"
  python_here arm64 -m pytest -o cache_dir=/tmp/pytest -n "$workers" --dist loadfile \
    "${ignored[@]}" "$@"
}

compare() { python_here "$1" tools/aarch64_comparison.py "$2" /comparison "${@:3}"; }

do_compare() {
  local each chosen=$core cores=(cortex-a72 cortex-a76)
  prepare
  for each in amd64 arm64; do on_machine "$each" rm -rf /comparison; done
  say 'computing on x86_64'
  compare amd64 pictures
  compare amd64 teach
  compare amd64 embed x86_64 xnnpack
  on_machine amd64 tar -c -C / comparison | on_machine arm64 tar -x -C /
  say "computing on aarch64, $core"
  compare arm64 teach aarch64
  compare arm64 merge aarch64
  compare arm64 embed aarch64 plain --without-xnnpack
  for core in "${cores[@]}"; do
    describe_core
    compare arm64 embed aarch64 "$core"
  done
  core=$chosen
  on_machine arm64 tar -c -C / comparison | on_machine amd64 tar -x -C /
  compare amd64 table aarch64 "${cores[@]}"
}

do_all() {
  local failed=()
  # Processes of their own, so that each stops at its first error.
  tools/aarch64.sh test || failed+=(tests)
  tools/aarch64.sh compare || failed+=(comparison)
  [ ${#failed[@]} = 0 ] || die "not as wanted: ${failed[*]}"
  say 'all as wanted'
}

do_shell() {
  prepare
  on_machine arm64 env -C /checkout PYTHONPATH=/checkout bash
}

do_clean() {
  for architecture in arm64 amd64; do remove_system "$architecture"; done
  rm -rf "$place"
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."
place=$PWD/.cache/aarch64
core=${CORE:-cortex-a72}
suite=${SUITE:-bookworm}
certificates=/etc/ssl/certs/ca-certificates.crt
pip_options=(--disable-pip-version-check --no-deps --require-hashes -r /requirements.txt)
command=${1:-all}
[ $# = 0 ] || shift
case $command in
  all | test | compare | shell | clean) "do_$command" "$@" ;;
  help | -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
