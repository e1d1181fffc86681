# Shared by the scripts beside it: saying what happens, and failing with a sentence that says what to do.
# Source it: . "$(dirname "$0")/lib.sh"

set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
fail() {
  printf '\033[1;31merror:\033[0m %s\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as the administrator: directly when we are, through sudo when that needs no password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif has sudo && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 126
  fi
}

# apt_install PACKAGE… : installs Debian packages, or says which to install.
apt_install() {
  has apt-get || fail "please install: $* (this is no Debian system, so it was not tried)"
  say "installing from Debian: $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null 2>&1 || true
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    fail "could not install $*: run 'sudo apt-get install $*' and try again"
}
