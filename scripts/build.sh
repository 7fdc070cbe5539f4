# shellcheck shell=bash
# What quickstart and test have in common; to be sourced by bash, with scripts/ below the current directory.

# Outside the clone: a fresh clone then builds in seconds what another one has built.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/seatbox/target}

# die MESSAGE [EXIT-CODE]
die() {
    printf 'error: %s\n' "$1" >&2
    exit "${2-1}"
}

# Rust is the one thing that is expected to be there; some crates hold C, which is compiled as well.
prepare_toolchain() {
    PATH=$PATH:$HOME/.cargo/bin
    command -v cargo >/dev/null || die 'cargo is missing; install Rust (https://rustup.rs, or Debian and Ubuntu packages that are new enough)'
    if ! command -v cc >/dev/null; then
        # Until there is a linker, sources can be fetched.
        cargo fetch --locked --quiet --target "$(rustc -vV | sed -n 's/^host: //p')" &
        scripts/engine.sh tools gcc libc6-dev
        wait $!
    fi
    # Clones look alike to cargo, and an older one would be taken for built by a newer one.
    local marker=$CARGO_TARGET_DIR/seatbox-checkout
    if [[ $(cat "$marker" 2>/dev/null) != "$PWD" ]]; then
        touch src/lib.rs src/main.rs tests/integration.rs
        mkdir -p "$CARGO_TARGET_DIR"
        printf '%s\n' "$PWD" >"$marker"
    fi
}

# What mmdebstrap needs to make an image: as an ordinary user it maps user ids.
image_tools() {
    local tools=(mmdebstrap debian-archive-keyring)
    ((EUID == 0)) || tools+=(uidmap)
    scripts/engine.sh tools "${tools[@]}"
}

# What moto is installed with; Debian's python3 by itself makes no environment.
python_tools() {
    python3 -c 'import ensurepip' 2>/dev/null || scripts/engine.sh tools python3 python3-venv
}

# install_python REQUIREMENTS DIRECTORY: a Python environment with these packages, where it is not there
# as they are wanted.
install_python() {
    local stamp=$2/installed.txt
    if cmp --silent "$1" "$stamp"; then
        return
    fi
    rm -rf "$2"
    python3 -m venv "$2"
    "$2/bin/pip" install --quiet --disable-pip-version-check --requirement "$1"
    cp "$1" "$stamp"
}

# install_moto DIRECTORY: the emulator of AWS. The program is DIRECTORY/bin/moto_server.
install_moto() { install_python scripts/moto.txt "$1"; }

engine_answers() { timeout 15 docker version >/dev/null 2>&1; }
