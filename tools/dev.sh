#!/usr/bin/env bash
# Copyright 2026 edgetpu_retrain contributors
# SPDX-License-Identifier: Apache-2.0
#
# From a bare checkout to a built and running package; the Makefile is a list of its commands.
#
# A sourced ROS 2 is used and not modified: .venv then has only packages without a rosdep key.
# Otherwise, and with --ros, the wheels of ROS 2 on PyPI are installed into .venv (Jazzy) or
# .venv-kilted.  With --versions, .venv-jammy or .venv-noble has the library versions of an Ubuntu.
# All files stay inside the checkout.

set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tools/dev.sh [--ros jazzy|kilted | --versions jammy|noble] COMMAND [ARGUMENTS]

  check           name the Debian packages that are missing, if any
  setup           make the environment (.venv)
  build           setup, and build both packages (build, install, log)
  test [ARGS]     build, and run pytest with ARGS
  colcon-test [ARGS]  build and test in a workspace, as a build farm does; ARGS goes to pytest
  lint            ruff, mypy, ament_flake8, ament_pep257, shellcheck; are the
                  documents of the parameters as declared?
  demo [ARGS]     build, and run the demonstration
  fleet-demo [ARGS]  build, and run the demonstration of a fleet
  teach [ARGS]    build, and run node, camera and the page to teach on (--help names ARGS)
  bench [ARGS]    build, and hold the default training against its rivals
  bench-teach [ARGS]  build, and hold teaching from files against a bare loop
  bench-node [ARGS]  build, and hold the node against a bare loop of its model
  bench-page [ARGS]  build, and measure the teaching page in a browser
  bench-fleet [ARGS]  build, and measure how soon a fleet has what one robot was taught
  fuzz [ARGS]     build, and fuzz every parser of outside bytes (--seconds 60 each)
  soak [ARGS]     build, and watch what the node holds while all of it is at work
  lock [--add]    renew requirements/locked: the newest releases that fit, with their hashes;
                  --add keeps the versions that are locked, and adds what is missing
  run TOPIC [ARGS]  build, and run the node on an image topic, e.g. /camera/image_raw
  clean           remove all of the above; what `run` and `teach` have learned (.ros) stays

  --ros           take this distribution's wheels from PyPI, even where a ROS 2 is sourced
  --versions      Jazzy's wheels, and Python, numpy, OpenCV and the like as Ubuntu 22.04 (jammy)
                  or 24.04 (noble) has them
  PYTHON=python3.12 in the environment chooses the Python to make the environment with
TEXT
}

say() { printf '== %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# ---------------------------------------------------------------------------------------------
# Which ROS 2

# Remove folders that match a pattern from a variable such as PATH.
forget_folders() {
  local name=$1 pattern=$2 folder kept=() IFS=:
  [ -n "${!name:-}" ] || return 0
  for folder in ${!name}; do
    # shellcheck disable=SC2053 # a pattern is meant
    if [[ $folder != $pattern ]]; then kept+=("$folder"); fi
  done
  export "$name=${kept[*]-}"
}

# Remove a sourced ROS 2 from the environment of this process.
leave_ros() {
  local prefix IFS=:
  for prefix in ${AMENT_PREFIX_PATH:-}; do forget_folders PATH "$prefix/bin"; done
  unset AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH PYTHONPATH
  unset RMW_IMPLEMENTATION ROS_DISTRO ROS_PYTHON_VERSION ROS_VERSION
  # The start-up hook of the wheels runs once per process tree and sets a mark, which would prevent
  # it from running for another environment.
  unset _ROS_WHEELS_BOOTSTRAP_COMPLETE
}

# Restore the shell's environment from before one of our own environments was activated.
leave_own_environment() {
  local name active=${VIRTUAL_ENV:-}
  for name in AMENT_PREFIX_PATH CMAKE_PREFIX_PATH COLCON_PREFIX_PATH LD_LIBRARY_PATH PATH \
    PYTHONPATH; do
    forget_folders "$name" "$root/.venv*"
    forget_folders "$name" "$root/install*"
  done
  case $active in
    "$root"/.venv | "$root"/.venv-*) unset VIRTUAL_ENV PYTHONHOME ;;
    *) return 0 ;;
  esac
  if [ "$(cat "$active/origin" 2>/dev/null)" != sourced ]; then leave_ros; fi
}

# Use the Python of an Ubuntu, unless PYTHON names one.  Sets ubuntu_python, its version.
choose_python() {
  local found program
  case $versions in
    jammy) ubuntu_python=3.10 ;;
    noble) ubuntu_python=3.12 ;;
    *) die "there are no versions of $versions here; choose jammy or noble" ;;
  esac
  [ -z "${PYTHON:-}" ] || return 0
  # The shim of pyenv in PATH runs only if that version is selected, so find the program itself.
  for found in $(type -ap "python$ubuntu_python"); do
    for program in "$found" "${found%/shims/*}/versions/$ubuntu_python".*/bin/python3; do
      if "$program" -c '' 2>/dev/null; then
        python=$program
        return 0
      fi
    done
  done
  die "the versions of $versions are for its Python $ubuntu_python, and no python$ubuntu_python" \
    "that runs is in PATH. Install it, or name one: PYTHON=/path/to/python$ubuntu_python"
}

# Set distro, origin ('sourced' for a ROS 2 in the caller's shell, 'wheels' for PyPI's), and locked,
# the prefix of the names of its locks.
choose_ros() {
  local wanted=$1
  leave_own_environment
  if [ -n "$versions" ]; then
    choose_python
    wanted=jazzy
  fi
  origin=wheels distro=${wanted:-jazzy}
  if [ -z "$wanted" ] && [ -n "${ROS_DISTRO:-}" ]; then
    if ! "$python" -c 'import rclpy' 2>/dev/null; then
      say "ROS_DISTRO is $ROS_DISTRO, but $python cannot import rclpy: not using it"
    elif ! command -v colcon >/dev/null; then
      say "ROS 2 $ROS_DISTRO is sourced, but colcon is missing: not using it. To use it:" \
        'sudo apt-get install python3-colcon-common-extensions'
    else
      origin=sourced distro=$ROS_DISTRO
    fi
  fi
  if [ "$origin" = wheels ]; then
    case $distro in
      jazzy) suffix=${versions:+-$versions} ;;
      kilted) suffix=-kilted ;;
      *) die "there are no wheels of ROS 2 $distro here; choose jazzy or kilted" ;;
    esac
    leave_ros
  else
    suffix=''
  fi
  venv=$root/.venv$suffix build=build$suffix install=install$suffix log=log$suffix
}

# ---------------------------------------------------------------------------------------------
# Required programs

require_platform() {
  [ "$origin" = wheels ] || return 0
  local machine found apt
  machine=$(uname -sm)
  apt='Install ROS 2 from its Debian packages'
  apt+=" (https://docs.ros.org/en/$distro/Installation/Ubuntu-Install-Debs.html),"
  apt+=" source it (. /opt/ros/$distro/setup.bash) and run this again."
  for found in /opt/ros/*/setup.bash; do
    [ -e "$found" ] || continue
    say "there is a ROS 2 in ${found%/setup.bash}; to use it, source it first: . $found"
  done
  [ "$machine" = 'Linux x86_64' ] ||
    die "no ROS 2 is sourced, and its wheels on PyPI are for Linux on x86_64 only; this is" \
      "$machine. $apt README.md, 'On a robot', has every step."
}

# Print the version of $python, and a line for each missing part with its Debian package.
python_facts='
import importlib.util, os, sys, sysconfig
version = "%d.%d" % sys.version_info[:2]
print(version, sys.base_prefix)
if not importlib.util.find_spec("ensurepip"):
    print("python%s-venv (venv)" % version)
if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
    print("python%s-dev (Python.h)" % version)
'

# Stop with the command that installs missing packages.  Sets python_id.
require_tools() {
  local missing=() packages=() facts='' line version minor
  if command -v "$python" >/dev/null; then
    facts=$("$python" -c "$python_facts") || die "$python does not run"
    python_id=${facts%%$'\n'*}
    while read -r line; do missing+=("$line"); done < <(tail -n +2 <<<"$facts")
    version=${python_id%% *}
    minor=${version#*.}
    if [ "${version%%.*}" != 3 ] || [ "$minor" -lt 10 ]; then
      die "$python is Python $version; 3.10 or newer is needed. Name another: PYTHON=python3.12"
    elif [ "$origin" = wheels ] && [ "$minor" -gt 14 ]; then
      die "$python is Python $version; ROS 2's wheels on PyPI are for 3.10 to 3.14." \
        'Name another: PYTHON=python3.12'
    elif [ -n "$versions" ] && [ "$version" != "$ubuntu_python" ]; then
      die "$python is Python $version; the versions of $versions are for Python $ubuntu_python"
    fi
  elif [ "$python" = python3 ]; then
    missing+=('python3 (Python)' 'python3-venv (venv)' 'python3-dev (Python.h)')
  else
    die "PYTHON is $python, and there is no such program"
  fi
  if ! any_of "${CXX:-c++}" g++ clang++; then
    missing+=('g++ (C and C++ compiler)')
  elif ! any_of "${CC:-cc}" gcc clang; then
    missing+=('gcc (C compiler)')
  fi
  any_of cmake || missing+=('cmake (CMake)')
  any_of make || missing+=('make (make)')
  [ ${#missing[@]} = 0 ] && return 0
  for line in "${missing[@]}"; do packages+=("${line%% *}"); done
  printf 'error: %s is not installed\n' "${missing[@]#* }" >&2
  die "install what is missing, and run this again:
  sudo apt-get install ${packages[*]}"
}

any_of() {
  local name
  for name in "$@"; do
    # CC and CXX may contain arguments.
    if command -v "${name%% *}" >/dev/null; then return 0; fi
  done
  return 1
}

# ---------------------------------------------------------------------------------------------
# The environment

# Print a hash of files, of all files in folders, and of the given words.
fingerprint() {
  local what=()
  while [ "$1" != -- ]; do
    if [ -e "$1" ]; then what+=("$1"); fi
    shift
  done
  {
    printf '%s\n' "${@:2}"
    find "${what[@]}" -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z |
      xargs -0 sha256sum
  } | sha256sum | cut -d' ' -f1
}

is_current() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

# Print the lock for a command ('': for the environment itself).
lock_of() {
  local of=${versions:-$distro} lock
  [ "$origin" = wheels ] || of=apt
  for lock in "requirements/locked/$of${1:+-$1}.txt" "requirements/locked/$1.txt"; do
    if [ -e "$lock" ]; then
      echo "$lock"
      return 0
    fi
  done
  die "there is no requirements/locked/$of${1:+-$1}.txt"
}

# Install exactly the packages of a lock into an environment.  A lock is complete
# (test_lock_completeness.py), so pip need not resolve: for an extra such as coverage[toml], pip 22
# and 23 look up the newest release, and then fail because that one is not pinned.  locked/build.txt
# is installed first, with the build requirements of a package without a wheel.
install_locked() {
  "${2:-$venv}/bin/python" -m pip install -qq --disable-pip-version-check --no-deps \
    --no-build-isolation --use-pep517 --require-hashes -r "$1" ||
    die "pip could not install $1; see its output above"
}

# Create $venv, unless it is up to date.
make_environment() {
  local ingredients=("$python_id" "$root" "$origin" "$distro")
  # This script is part of its fingerprint.
  ingredients+=("$(declare -f make_environment install_locked write_activation add_vision_msgs)")
  if [ "$origin" = sourced ]; then
    require_system_libraries
    ingredients+=("$system_versions")
  fi
  environment_id=$(fingerprint "$(lock_of '')" requirements/locked/build.txt underlay -- "${ingredients[@]}")
  is_current "$venv/ready" "$environment_id" && return 0
  # Builds for another environment are not compatible.
  rm -rf "$venv" "$build" "$install" "$log"
  if [ "$origin" = wheels ]; then
    say "setting up ROS 2 $distro from PyPI in $(basename "$venv") (about a minute)"
    "$python" -m venv "$venv"
    install_locked requirements/locked/build.txt
    install_locked "$(lock_of '')"
    # The CMake files in the wheels name include folders of the build machine.
    sed -i -E 's#(INTERFACE_INCLUDE_DIRECTORIES) "/opt/python/[^"]*"#\1 ""#' \
      "$venv"/share/*/cmake/export_*__rosidl_generator_pyExport.cmake
  else
    say "adding to ROS 2 $distro, in .venv, what rosdep has no key for"
    "$python" -m venv --system-site-packages "$venv"
    install_locked requirements/locked/build.txt
    install_locked "$(lock_of '')"
  fi
  echo "$origin" >"$venv/origin"
  write_activation
  enter_environment
  if ! python3 -c 'import vision_msgs.msg' 2>/dev/null; then add_vision_msgs; fi
  echo "$environment_id" >"$venv/ready"
}

# Print a line for each missing system library, and the versions of the others.
system_facts='
for module, package in (
    ("numpy", "python3-numpy"),
    ("cv2", "python3-opencv"),
    ("click", "python3-click"),
    ("cryptography", "python3-cryptography"),
    ("rich", "python3-rich"),
    ("jinja2", "python3-jinja2"),
    ("aiohttp", "python3-aiohttp"),
    ("qrcode", "python3-qrcode"),
    ("matplotlib", "python3-matplotlib"),
):
    try:
        found = __import__(module)
    except ImportError:
        print("missing", package)
    else:
        # Reading the version of click causes a warning.
        print(module, "" if module == "click" else getattr(found, "__version__", ""))
try:
    import vision_msgs
    print("vision_msgs is there")
except ImportError:
    print("without vision_msgs")
'

# Set system_versions, or stop with the packages to install.
require_system_libraries() {
  local missing
  system_versions=$("$python" -c "$system_facts")
  missing=$(sed -n 's/^missing //p' <<<"$system_versions" | tr '\n' ' ')
  [ -z "$missing" ] || die "ROS 2 $distro is sourced, but not all that edgetpu_retrain needs is installed. Install it, and run this again:
  sudo apt-get install ${missing% }"
}

# Make `. $venv/bin/activate` sufficient for `colcon build`.
write_activation() {
  local setup=$venv/setup.sh name
  {
    echo '# Written by tools/dev.sh.'
    if [ "$origin" = wheels ]; then
      echo "export VIRTUAL_ENV='$venv' ROS_DISTRO=$distro ROS_VERSION=2 ROS_PYTHON_VERSION=3"
      echo "case \":\$PATH:\" in *':$venv/bin:'*) ;; *) export PATH='$venv/bin':\"\$PATH\" ;; esac"
    fi
    # With a sourced ROS, only vision_msgs needs these.
    for name in AMENT_PREFIX_PATH: LD_LIBRARY_PATH:/lib; do
      [ "$name$origin" = LD_LIBRARY_PATH:/libwheels ] && continue
      echo "case \":\${${name%:*}:-}:\" in *':$venv${name#*:}:'*) ;; *)"
      echo "  export ${name%:*}='$venv${name#*:}'\"\${${name%:*}:+:\$${name%:*}}\" ;;"
      echo 'esac'
    done
  } >"$setup"
  # With these, colcon treats a folder on AMENT_PREFIX_PATH as an underlay, so that its builds can be
  # sourced in a clean shell.
  for name in setup.bash setup.zsh local_setup.sh local_setup.bash local_setup.zsh; do
    cp "$setup" "$venv/$name"
  done
  printf '\n# Written by tools/dev.sh: the environment of ROS 2.\n. "%s"\n' "$setup" \
    >>"$venv/bin/activate"
}

enter_environment() {
  set +u # neither venv's nor colcon's scripts are written for it
  # shellcheck disable=SC1091
  . "$venv/bin/activate"
  set -u
}

# Build the messages of underlay/ into $venv; the user's ROS is not modified.
add_vision_msgs() {
  local scratch=$venv/vision_msgs_build purelib
  if [ "$origin" = sourced ]; then
    say "vision_msgs is not installed (sudo apt-get install ros-$distro-vision-msgs):" \
      'building its messages into .venv'
  else
    say 'building the messages of vision_msgs, of which PyPI has no wheel'
  fi
  purelib=$(python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  {
    cmake -S underlay/vision_msgs -B "$scratch" -DCMAKE_INSTALL_PREFIX="$venv" \
      -DCMAKE_PREFIX_PATH="${AMENT_PREFIX_PATH//:/;}" \
      -DPYTHON_INSTALL_DIR="${purelib#"$venv"/}" -DBUILD_TESTING=OFF &&
      cmake --build "$scratch" --parallel "$(nproc)" &&
      cmake --install "$scratch"
  } >"$venv/vision_msgs.log" 2>&1 ||
    { tail -n 30 "$venv/vision_msgs.log" >&2 && die 'vision_msgs could not be built (see above)'; }
  rm -rf "$scratch"
}

# Install the requirements of a command, once.
add_requirements() {
  local lock id
  lock=$(lock_of "$1")
  id=$(fingerprint "$lock" -- "$environment_id")
  is_current "$venv/ready-$1" "$id" && return 0
  say "installing what \`$1\` needs"
  install_locked "$lock"
  echo "$id" >"$venv/ready-$1"
}

# Download the pips for test_setup_on_another_day.py, once.
add_pips() {
  local age id
  id=$(fingerprint requirements/locked/pip-*.txt -- "$python_id")
  is_current "$cache/pips/ready" "$id" && return 0
  rm -rf "$cache/pips"
  for age in oldest newest; do
    "$venv/bin/python" -m pip download -qq --disable-pip-version-check --no-deps \
      --require-hashes --dest "$cache/pips/$age" -r "requirements/locked/pip-$age.txt" ||
      die "pip could not fetch the $age pip for the tests; see its output above"
  done
  echo "$id" >"$cache/pips/ready"
}

# ---------------------------------------------------------------------------------------------
# The build

run_colcon() {
  # setuptools warns about `setup.py install`, which colcon uses, and about
  # PYTHONDONTWRITEBYTECODE.
  env -u PYTHONDONTWRITEBYTECODE PYTHONWARNINGS='ignore:::setuptools,ignore:::pkg_resources' \
    colcon --log-base "$log" build --build-base "$build" --install-base "$install" \
    --packages-select "$1" >&2
}

# Build the packages that have changed.
build_packages() {
  local id
  id=$(fingerprint edgetpu_retrain_interfaces -- "$environment_id")
  if ! is_current "$build/interfaces-ready" "$id"; then
    say "building the interfaces into $install (some 15 seconds)"
    run_colcon edgetpu_retrain_interfaces
    echo "$id" >"$build/interfaces-ready"
  fi
  id=$(fingerprint edgetpu_retrain launch config resource requirements/locked/{apt,build}.txt \
    package.xml setup.py setup.cfg -- "$id")
  if ! is_current "$build/package-ready" "$id"; then
    # setup.py would keep files that were removed from the source.
    rm -rf "$build/edgetpu_retrain" "$install/edgetpu_retrain"
    say "building the package into $install"
    run_colcon edgetpu_retrain
    echo "$id" >"$build/package-ready"
  fi
}

enter_install() {
  set +u
  # shellcheck disable=SC1091
  . "$install/local_setup.bash"
  set -u
}

# Create the environment and run the given steps in it; one run at a time per checkout.
prepare() {
  local step
  require_platform
  require_tools
  mkdir -p "$cache/tmp"
  if command -v flock >/dev/null; then
    exec 9>"$cache/lock"
    flock --nonblock 9 || { say 'waiting for another run in this checkout' && flock 9; }
  fi
  make_environment
  enter_environment
  for step in "$@"; do
    $step
  done
  exec 9>&-
}

# ---------------------------------------------------------------------------------------------
# The commands

do_setup() {
  prepare
  say "ready. To use it in this shell:  . $(basename "$venv")/bin/activate"
}

do_build() {
  prepare build_packages
  say "ready. To use it in this shell:  . $(basename "$venv")/bin/activate &&" \
    ". $install/setup.bash"
}

run_pytest='
import signal, sys
# A shell that runs this in the background ignores SIGINT, and so would all processes of the tests.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path = [folder for folder in sys.path if folder]
import pytest
sys.exit(pytest.main())
'

do_test() {
  local scratch=$cache/test$suffix measured=$cache/coverage$suffix measure=() outcome=0
  prepare build_packages 'add_requirements test' add_pips
  enter_install
  rm -rf "$scratch"
  mkdir -p "$scratch/log"
  say "testing with ROS 2 $distro, $(python3 --version)${versions:+, the versions of $versions}"
  # A run of all tests measures branch coverage.  coverage.py starts in every Python process with
  # this variable, which test/conftest.py passes on to the child processes of some modules.
  if [ $# = 0 ]; then
    rm -rf "$measured"
    measure=(COVERAGE_PROCESS_START="$root/.coveragerc" COVERAGE_FILE="$measured/processes/data")
  fi
  # Four files in parallel, because nodes mostly wait; each process uses its own ROS domain.  -n 0 runs
  # one after the other.  A worker that crashes ends the run: after a restart xdist may wait forever.
  # The tests import the installed package and not the source: the current folder is not on sys.path,
  # neither here nor (from Python 3.11) in nodes that the tests start.
  env PYTHONSAFEPATH=1 ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST ROS_HOME="$scratch" \
    ROS_LOG_DIR="$scratch/log" "${measure[@]}" \
    python3 -c "$run_pytest" -o cache_dir="$cache/pytest$suffix" \
    -n 4 --dist loadfile --max-worker-restart 0 "$@" || outcome=$?
  if [ $# = 0 ]; then
    python3 tools/branch_coverage.py "$measured" || [ $outcome != 0 ] || outcome=1
  fi
  return $outcome
}

do_colcon-test() {
  local workspace=$cache/workspace$suffix packages=(edgetpu_retrain edgetpu_retrain_interfaces)
  prepare 'add_requirements test'
  say "testing in a workspace, $workspace"
  rm -rf "$workspace/src"
  mkdir -p "$workspace/src/edgetpu_retrain"
  git ls-files -z --cached --others --exclude-standard |
    xargs -0 cp -p --parents -t "$workspace/src/edgetpu_retrain"
  ln -s edgetpu_retrain/edgetpu_retrain_interfaces "$workspace/src/"
  cd "$workspace"
  unset COLCON_DEFAULTS_FILE
  colcon build --packages-select "${packages[@]}" >&2
  colcon test --return-code-on-test-failure --event-handlers console_direct+ \
    --packages-select "${packages[@]}" ${1:+--pytest-args "$@"}
}

do_lint() {
  local sources=() scripts=(tools/dev.sh tools/aarch64.sh .ci/run) folder failed=()
  prepare 'add_requirements test' 'add_requirements lint'
  for folder in edgetpu_retrain launch test tools benchmarks fuzz setup.py; do
    if [ -f $folder ] || [ -n "$(find $folder -name '*.py' -print -quit 2>/dev/null)" ]; then
      sources+=("$folder")
    fi
  done
  export RUFF_CACHE_DIR=$cache/ruff MYPY_CACHE_DIR=$cache/mypy$suffix
  check() {
    local words
    say "$*"
    words=$("$@" 2>&1) || { failed+=("$1") && printf '%s\n' "$words" >&2; }
  }
  check ruff check
  check ruff format --check
  check mypy --strict
  check ament_flake8 "${sources[@]}"
  # Sections are in Google's style (see pyproject.toml).  ament_flake8 checks that summaries are
  # imperative; it distinguishes properties from methods.
  check ament_pep257 --add-ignore D401 D406 D407 D413 -- "${sources[@]}"
  check shellcheck "${scripts[@]}"
  check python3 tools/parameter_documents.py --check
  [ ${#failed[@]} = 0 ] || die "lint failed: ${failed[*]}"
  say 'lint passed'
}

do_demo() {
  prepare build_packages
  enter_install
  exec "$install/edgetpu_retrain/lib/edgetpu_retrain/edgetpu_retrain_demo" "$@"
}

do_fleet-demo() {
  prepare build_packages
  enter_install
  exec "$install/edgetpu_retrain/lib/edgetpu_retrain/edgetpu_retrain_fleet_demo" "$@"
}

# Run a module of benchmarks/; it and its child processes import the package from the checkout.
run_benchmark() {
  prepare build_packages 'add_requirements test'
  enter_install
  # Settings for older releases of OpenBLAS slow this one down.
  unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
  exec python3 -m "benchmarks.$1" "${@:2}"
}

do_bench() { run_benchmark learning.run "$@"; }

do_bench-node() { run_benchmark node.run "$@"; }

do_bench-page() {
  # Visitors and robot are those of the tests.
  export PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$root/test
  run_benchmark page.run "$@"
}

do_bench-fleet() {
  # Hub and members are those of the tests.
  export PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$root/test
  run_benchmark fleet.run "$@"
}

do_bench-teach() { run_benchmark teach "$@"; }

do_fuzz() {
  prepare build_packages 'add_requirements fuzz'
  enter_install
  # Seeds are made with helpers of the tests.
  PYTHONPATH=${PYTHONPATH:+$PYTHONPATH:}$root/test exec python3 -m fuzz.run "$@"
}

do_soak() { run_benchmark soak.run "$@"; }

do_teach() {
  prepare build_packages
  enter_install
  export ROS_HOME=${ROS_HOME:-$root/.ros}
  exec "$install/edgetpu_retrain/lib/edgetpu_retrain/edgetpu_retrain_teach" "$@"
}

do_run() {
  [ -n "${1:-}" ] || die 'name the topic of the images, for example:  make run IMAGE_TOPIC=/camera/image_raw'
  local topic=$1
  prepare build_packages
  enter_install
  export ROS_HOME=${ROS_HOME:-$root/.ros}
  say "samples and models are in $ROS_HOME/edgetpu_retrain (set ROS_HOME to change this)"
  say "reading $topic, ROS_DOMAIN_ID ${ROS_DOMAIN_ID:-0}; end with Ctrl-C"
  exec "$install/edgetpu_retrain/lib/edgetpu_retrain/edgetpu_retrain_node" \
    --ros-args --params-file config/retrain.yaml -r "image:=$topic" "${@:2}"
}

# Write a lock: the newest matching releases, with the hashes of all their files.  If $upgrade is
# empty, the versions that are locked stay as long as they match.
write_lock() {
  local locked=requirements/locked/$1 words='' file
  shift
  for file in "$@"; do
    case $file in requirements/locked/*) ;; *.txt) words+=" $file" ;; esac
  done
  say "$locked"
  cp "$locked" "$cache/locking/locked.txt"
  "$cache/locking/bin/uv" pip compile --quiet "${upgrade[@]}" --generate-hashes \
    --no-emit-index-url --no-header --no-annotate \
    --constraints requirements/lock-constraints.txt "$@" --output-file "$cache/locking/locked.txt"
  {
    echo "# Written by \`make lock\` from$words; do not edit."
    cat "$cache/locking/locked.txt"
  } >"$locked"
}

# Print the options of write_lock that exclude the packages in a file.
leave_out() { sed -n 's/^\([^# ]\+\).*/--no-emit-package\n\1/p' "$1"; }

do_lock() {
  local distro lock test_tools of_ubuntu every_python=(--universal --python-version 3.10)
  local upgrade=(--upgrade)
  if [ "${1:-}" = --add ]; then upgrade=(); fi
  mkdir -p "$cache/tmp"
  lock=requirements/locked/lock.txt
  if ! is_current "$cache/locking/ready" "$(fingerprint "$lock" --)"; then
    rm -rf "$cache/locking"
    "$python" -m venv "$cache/locking"
    install_locked "$lock" "$cache/locking"
    fingerprint "$lock" -- >"$cache/locking/ready"
  fi
  mapfile -t test_tools < <(leave_out requirements/left-out-test-tools.txt)
  mapfile -t of_ubuntu < <(leave_out requirements/left-out-beside-apt.txt)
  for distro in jazzy kilted; do
    write_lock "$distro.txt" "${every_python[@]}" "requirements/ros-$distro.txt" \
      requirements/runtime.txt "${test_tools[@]}"
    local of_test=(requirements/test.txt)
    if [ -e "requirements/test-$distro.txt" ]; then
      of_test+=("requirements/test-$distro.txt")
    fi
    write_lock "$distro-test.txt" "${every_python[@]}" "${of_test[@]}" \
      --constraints "requirements/locked/$distro.txt"
  done
  write_lock build.txt "${every_python[@]}" requirements/build.txt \
    --constraints requirements/locked/jazzy.txt
  write_lock apt.txt "${every_python[@]}" requirements/runtime.txt "${of_ubuntu[@]}"
  write_lock apt-test.txt "${every_python[@]}" requirements/test.txt requirements/test-apt.txt \
    "${of_ubuntu[@]}" --constraints requirements/locked/apt.txt
  write_lock lint.txt "${every_python[@]}" requirements/lint.txt \
    --constraints requirements/locked/jazzy.txt --constraints requirements/locked/jazzy-test.txt
  write_lock fuzz.txt "${every_python[@]}" requirements/fuzz.txt
  write_lock lock.txt "${every_python[@]}" requirements/lock.txt
  write_lock pip-oldest.txt "${every_python[@]}" requirements/pip-oldest.txt
  write_lock pip-newest.txt "${every_python[@]}" requirements/pip-newest.txt
  write_locks_of_ubuntu jammy 3.10 --overrides "${test_tools[@]}"
  write_locks_of_ubuntu noble 3.12 --constraints "${test_tools[@]}"
  # Check the metadata of the newly locked packages for missing requirements.
  for distro in jazzy kilted; do
    tools/dev.sh --ros "$distro" test -n 0 -q test/test_lock_completeness.py
  done
}

# Write the locks with the versions of an Ubuntu, for its Python.
write_locks_of_ubuntu() {
  local options=(--python-platform x86_64-manylinux_2_28 --python-version "$2")
  options+=("$3" "requirements/versions-$1.txt")
  write_lock "$1.txt" requirements/ros-jazzy.txt requirements/runtime.txt "${options[@]}" "${@:4}"
  write_lock "$1-test.txt" requirements/test.txt requirements/test-jazzy.txt "${options[@]}" \
    --constraints "requirements/locked/$1.txt"
}

do_clean() {
  local name
  for name in '' -kilted -jammy -noble; do
    rm -rf "$root/.venv$name" "build$name" "install$name" "log$name"
  done
  # Its files may belong to other users of a user namespace.
  [ ! -e "$cache/aarch64" ] || tools/aarch64.sh clean
  rm -rf "$cache" .hypothesis .mypy_cache .pytest_cache .ruff_cache
  find . -name __pycache__ -type d -prune -exec rm -rf {} +
  say 'removed environments, builds, logs and caches'
}

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
wanted='' versions=''
while true; do
  case ${1:-} in
    --ros) wanted=${2:?--ros needs a distribution: jazzy or kilted} ;;
    --versions) versions=${2:?--versions needs an Ubuntu: jammy or noble} ;;
    *) break ;;
  esac
  shift 2
done
if [ -n "$versions" ] && [ "${wanted:-jazzy}" != jazzy ]; then
  die "the versions of $versions are tested with ROS 2 jazzy only, not $wanted"
fi
command=${1:-}
[ $# = 0 ] || shift

python=${PYTHON:-python3}
cache=$root/.cache
# Do not write to the home folder, and do not use files in it.
export COLCON_HOME=$cache/colcon COLCON_DEFAULTS_FILE=$root/colcon_defaults.yaml
export PIP_CACHE_DIR=${PIP_CACHE_DIR:-$cache/pip} TMPDIR=$cache/tmp
unset PIP_PREFIX PIP_TARGET PIP_USER

case $command in
  check | setup | build | test | colcon-test | lint | demo | fleet-demo | teach | bench | bench-teach | bench-node | bench-page | bench-fleet | fuzz | soak | run)
    choose_ros "$wanted"
    ;;
esac
case $command in
  check) require_platform && require_tools && say 'nothing is missing' ;;
  setup | build | test | colcon-test | lint | lock | demo | fleet-demo | teach | bench | bench-teach | bench-node | bench-page | bench-fleet | fuzz | soak | run | clean)
    "do_$command" "$@"
    ;;
  '' | help | -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
