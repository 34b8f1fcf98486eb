# Sourced by ./run and ./test: packages, configuration, build. Says what it does; every step is
# idempotent; a failure ends with one clear line.

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# install_packages run|test: what tools/packages.txt names for that and this machine lacks.
install_packages() {
  command -v dpkg-query >/dev/null || die "this is not a Debian system; install what tools/packages.txt names, then try again"
  local missing=() package
  while read -r package; do
    case "$package" in
      '# --- for ./test alone') [ "$1" = test ] && continue || break ;;
      ''|'#'*) continue ;;
    esac
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done < tools/packages.txt
  [ ${#missing[@]} -eq 0 ] && return
  say "installing ${#missing[@]} packages: ${missing[*]}"
  local sudo=
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "need root or sudo to install: ${missing[*]}"
    sudo=sudo
  fi
  $sudo apt-get update -qq || die "apt-get update failed; is a Debian mirror reachable?"
  # RUNLEVEL=1: a package that brings a service does not start it.
  $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

# build PRESET [TARGET...]: configures once and builds what is stale.
build() {
  local preset=$1
  shift
  if [ ! -f "build/$preset/build.ninja" ]; then
    say "configuring build/$preset"
    # A build that is made once from nothing takes a third less with precompiled headers; one that is made again and
    # again takes the compiler cache, which cannot see through them. The sanitized preset always has them.
    local pch=()
    [ "$preset" = sanitized ] || { command -v ccache >/dev/null && [ -z "${CCACHE_DISABLE:-}" ]; } || pch=(-DBATON_PCH=ON)
    cmake --preset "$preset" "${pch[@]}" >"/tmp/baton-configure-$$.log" 2>&1 ||
      { cat "/tmp/baton-configure-$$.log" >&2; die "cmake could not configure; the lines above say why"; }
    rm -f "/tmp/baton-configure-$$.log"
  fi
  say "building ${*:-everything} in build/$preset"
  cmake --build "build/$preset" ${*:+--target "$@"} || die "the build failed; the first error above says where"
}
