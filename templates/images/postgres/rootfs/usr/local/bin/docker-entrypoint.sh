#!/usr/bin/env bash
# Starts PostgreSQL, and makes its data directory first if there is none: the interface of the
# official image (environment variables, /docker-entrypoint-initdb.d, users), written anew.
set -Eeuo pipefail

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# from_file NAME [DEFAULT]: export NAME from itself, from the file that NAME_FILE names, or the default.
from_file() {
    local name=$1 file_name=${1}_FILE value=${2-}
    if [[ -n ${!name-} && -n ${!file_name-} ]]; then
        die "$name and $file_name are both set: which one holds?"
    elif [[ -n ${!name-} ]]; then
        value=${!name}
    elif [[ -n ${!file_name-} ]]; then
        value=$(<"${!file_name}")
    fi
    export "$name=$value"
    unset "$file_name"
}

only_asks() {
    local argument
    for argument; do
        case $argument in
            -'?' | --help | --describe-config | -V | --version) return 0 ;;
        esac
    done
    return 1
}

# --- as root ----------------------------------------------------------------

# Asks for no capability but CHOWN, SETUID and SETGID: what root can't read is the server's already.
hand_over_and_step_down() {
    local directory
    mkdir -p "$PGDATA" /var/run/postgresql 2>/dev/null || true
    for directory in "$PGDATA" /var/run/postgresql ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"}; do
        mkdir -p "$directory" 2>/dev/null || true
        if [[ -r $directory && -x $directory ]]; then
            find "$directory" ! -user postgres -exec chown postgres: {} + || true
        fi
    done
    export HOME=/var/lib/postgresql
    exec setpriv --reuid=postgres --regid=postgres --init-groups --inh-caps=-all -- "$0" "$@"
}

# --- first start ------------------------------------------------------------

# Stands in the data directory from before the first file until all is complete and on disk.
readonly UNFINISHED=.initialisation-unfinished
readonly PREPARED=/usr/share/postgresql/15/cluster.tar.zst

empty() { find "$1" -mindepth 1 ! -name lost+found -delete; }

check_settings() {
    from_file POSTGRES_PASSWORD
    from_file POSTGRES_USER postgres
    from_file POSTGRES_DB "$POSTGRES_USER"
    from_file POSTGRES_INITDB_ARGS
    : "${POSTGRES_HOST_AUTH_METHOD:=}"
    if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
        die 'the database is not initialised, and there is no password for its superuser.
       Set POSTGRES_PASSWORD, or POSTGRES_PASSWORD_FILE, to a value that is not empty.
       POSTGRES_HOST_AUTH_METHOD=trust lets everybody in without any: never on a network.'
    fi
    if [[ $POSTGRES_HOST_AUTH_METHOD == trust ]]; then
        echo 'warning: POSTGRES_HOST_AUTH_METHOD=trust: everybody who reaches this port is superuser' >&2
    fi
}

# initdb and --single look their own user up by name; a container may run as a number that has none.
lend_name() {
    getent passwd "$(id -u)" >/dev/null && return
    NSS_WRAPPER_PASSWD=$(mktemp) NSS_WRAPPER_GROUP=$(mktemp)
    LD_PRELOAD=$(find /usr/lib -name libnss_wrapper.so -print -quit)
    export LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
    echo "postgres:x:$(id -u):$(id -g)::$PGDATA:/bin/false" >"$NSS_WRAPPER_PASSWD"
    echo "postgres:x:$(id -g):" >"$NSS_WRAPPER_GROUP"
}

return_name() {
    [[ -n ${NSS_WRAPPER_PASSWD-} ]] || return 0
    rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"
    unset LD_PRELOAD NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
}

# The cluster that came with the image is what initdb makes when nobody asks for anything special.
prepared_cluster_serves() {
    local special=${!LC_*}${TZ-}$POSTGRES_INITDB_ARGS${POSTGRES_INITDB_WALDIR-}
    [[ -z $special && $LANG == en_US.utf8 && -r $PREPARED ]] &&
        [[ $POSTGRES_USER =~ ^[a-z_][a-z0-9_]{0,62}$ && $POSTGRES_USER != pg_* ]]
}

# Statements on standard input, one a line: no server is needed, whose start and stop would take longer.
# With the log settings as they are, a line of the log could quote a password.
alone() {
    postgres --single -F -D "$PGDATA" -c exit_on_error=on \
        -c log_checkpoints=off -c log_min_error_statement=panic postgres >/dev/null
}

copy_cluster() {
    local password=${POSTGRES_PASSWORD%%$'\n'*}
    tar --zstd -C "$PGDATA" -xf "$PREPARED"
    {
        # ALTER ROLE does not rename the role that it runs as.
        echo "UPDATE pg_authid SET rolname = '$POSTGRES_USER' WHERE oid = 10;"
        [[ -z $password ]] || echo "ALTER ROLE \"$POSTGRES_USER\" PASSWORD '${password//\'/\'\'}';"
    } | alone
}

# initdb insists on an empty directory, which the mark makes impossible: it works in one inside.
# Nothing is synced here: whatever is lost before the mark goes is made again.
create_cluster() {
    local staging=$PGDATA/.initdb arguments=()
    eval "arguments=($POSTGRES_INITDB_ARGS)"
    initdb --no-sync --pgdata="$staging" --username="$POSTGRES_USER" \
        ${POSTGRES_PASSWORD:+--pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD")} \
        ${POSTGRES_INITDB_WALDIR:+--waldir="$POSTGRES_INITDB_WALDIR"} "${arguments[@]}" >/dev/null
    mv "$staging"/* "$PGDATA"
    rmdir "$staging"
}

allow_hosts() {
    local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}
    printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

# The name is the official image's: initialisation scripts call it.
docker_process_sql() {
    PGHOST='' PGHOSTADDR='' PGPASSWORD=$POSTGRES_PASSWORD \
        psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"
}

run_scripts() {
    local script
    for script; do
        case $script in
            *.sh)
                if [[ -x $script ]]; then
                    echo "running $script"
                    "$script"
                else
                    echo "sourcing $script"
                    # The author's script was not written for our strictness.
                    set +u
                    # shellcheck disable=SC1090
                    . "$script"
                    set -u
                fi
                ;;
            *.sql) echo "running $script" && docker_process_sql -f "$script" ;;
            *.sql.gz) echo "running $script" && gunzip -c "$script" | docker_process_sql ;;
            *.sql.xz) echo "running $script" && xz -dc "$script" | docker_process_sql ;;
            *.sql.zst) echo "running $script" && zstd -dc "$script" | docker_process_sql ;;
            *) echo "ignoring $script" ;;
        esac
    done
}

database_missing() { [[ $POSTGRES_DB != postgres ]]; }

with_server() {
    local port=${PGPORT:-5432} options
    options=$(printf '%q ' "${@:2}" -c listen_addresses= -c fsync=off -c full_page_writes=off -p "$port")
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -o "$options" -w start
    if database_missing; then
        docker_process_sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
    fi
    run_scripts /docker-entrypoint-initdb.d/*
    PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
}

initialise() {
    local scripts
    check_settings
    # As process 1, a shell without handlers would sleep through `docker stop`.
    trap 'exit 143' TERM INT

    : >"$PGDATA/$UNFINISHED"
    lend_name
    if prepared_cluster_serves; then copy_cluster; else create_cluster; fi
    allow_hosts "${@:2}"
    scripts=$(ls -A /docker-entrypoint-initdb.d 2>/dev/null || true)
    if [[ -n $scripts ]]; then
        with_server "$@"
    elif database_missing; then
        alone <<<"CREATE DATABASE \"${POSTGRES_DB//\"/\"\"}\";"
    fi
    return_name
    sync -f "$PGDATA"
    rm "$PGDATA/$UNFINISHED"

    trap - TERM INT
    echo 'PostgreSQL init process complete; ready for start up.'
}

# --- main -------------------------------------------------------------------

[[ ${1-} != -* ]] || set -- postgres "$@"
if [[ ${1-} != postgres ]] || only_asks "$@"; then
    exec "$@"
fi
if ((EUID == 0)); then
    hand_over_and_step_down "$@"
fi

mkdir -p "$PGDATA"
[[ -O $PGDATA ]] || die "$PGDATA is not owned by user $(id -u): set PGDATA to a subdirectory, or drop user:"
chmod 0700 "$PGDATA"
if [[ -e $PGDATA/$UNFINISHED ]]; then
    echo 'the first initialisation was interrupted: it begins anew' >&2
    empty "$PGDATA"
    [[ -z ${POSTGRES_INITDB_WALDIR:-} ]] || empty "$POSTGRES_INITDB_WALDIR"
fi
if [[ ! -s $PGDATA/PG_VERSION ]]; then
    if [[ -n $(find "$PGDATA" -mindepth 1 -maxdepth 1 ! -name lost+found -print -quit) ]]; then
        die "$PGDATA holds files, but no database: give an empty directory, or set PGDATA to a subdirectory"
    fi
    initialise "$@"
else
    echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'
fi
exec "$@"
