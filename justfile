# Short names for what is done often; `just` lists them. The scripts need no just.

export CARGO_TARGET_DIR := env("CARGO_TARGET_DIR", env("XDG_CACHE_HOME", home_directory() / ".cache") / "seatbox/target")

_default:
    @just --list

# All the tests, as CI runs them; `just test --fast` for those that need no engine
test *arguments:
    ./test {{ arguments }}

# The seats of a real event on this machine; `just quickstart --down` takes them away
quickstart *arguments:
    ./quickstart {{ arguments }}

# Seatbox against Docker Compose and the engine's bare calls; `just bench --quick` for a small try
bench *arguments:
    scripts/bench.sh {{ arguments }}

# Seatbox against boto3 and Ansible on an emulator of AWS; `just bench-aws --quick` for a small try
bench-aws *arguments:
    scripts/bench-aws.sh {{ arguments }}

# Everything that may go wrong goes wrong, in full; writes the table in docs/faults.md
faults *arguments:
    scripts/faults.sh {{ arguments }}

# A seat of EC2 in a virtual machine, from its first boot to its end; `--image ubuntu-22.04` for another
boot-guest *arguments:
    scripts/boot-guest.sh {{ arguments }}

# Form, lints and shell scripts
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings
    git ls-files -- quickstart test .ci/run '*.sh' | xargs shellcheck --external-sources

# Licences, sources and known vulnerabilities of dependencies, and those that nothing uses
deny: (_tool "cargo-deny") (_tool "cargo-machete")
    cargo deny --locked check
    cargo machete

# Feed the loader of environment files nonsense, for so many seconds; needs a nightly toolchain
fuzz seconds="60": (_tool "cargo-fuzz")
    cargo +nightly fuzz run load -- -max_total_time={{ seconds }}

# The documentation of the code
docs:
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps --document-private-items
    @echo "{{ CARGO_TARGET_DIR }}/doc/seatbox/index.html"

# Throw away what was built
clean:
    cargo clean

_tool name:
    @command -v {{ name }} >/dev/null || cargo install --locked {{ name }}
