#!/bin/sh
# Runs in the new root ($1) after the recipe's packages are installed.
set -eu
root=$1
server=/usr/lib/postgresql/15/bin

# A database that answers only inside its own container is of no use to the others.
sed -i "s/^#\(listen_addresses = \)'localhost'/\1'*'/" "$root/usr/share/postgresql/15/postgresql.conf.sample"
grep -q "^listen_addresses = '\*'" "$root/usr/share/postgresql/15/postgresql.conf.sample"

# Debian's wrappers look for clusters under /etc/postgresql, where there are none.
for program in "$root$server"/*; do
    ln -sf "..${server#/usr}/${program##*/}" "$root/usr/bin/"
done

# Every user may be the one that the container runs as. (Not /var/run: seen from here, that link leads
# out of the new root.)
mkdir -p "$root/docker-entrypoint-initdb.d" "$root/var/lib/postgresql/data" "$root/run/postgresql"
chown 999:999 "$root/var/lib/postgresql" "$root/var/lib/postgresql/data" "$root/run/postgresql"
chmod 1777 "$root/var/lib/postgresql" "$root/var/lib/postgresql/data"
chmod 3777 "$root/run/postgresql"

# A cluster to copy takes a first start a tenth of the time that initdb does. What initdb tries out on
# this machine must suit every other: it does, or the build ends here.
chroot "$root" setpriv --reuid=999 --regid=999 --clear-groups env -i PATH="$server:/usr/bin:/bin" LANG=en_US.utf8 \
    sh -eu -c '
        cd /tmp
        initdb --no-sync --username=postgres --pgdata=cluster >/dev/null 2>&1
        grep -q "^dynamic_shared_memory_type = posix" cluster/postgresql.conf
        grep -q "^shared_buffers = 128MB" cluster/postgresql.conf
        grep -q "^max_connections = 100" cluster/postgresql.conf
        tar --zstd -C cluster -cf cluster.tar.zst .
        rm -r cluster'
install -m 644 "$root/tmp/cluster.tar.zst" "$root/usr/share/postgresql/15/cluster.tar.zst"
rm "$root/tmp/cluster.tar.zst"

# A key that all copies of an image share protects nobody.
rm -f "$root"/etc/ssl/private/ssl-cert-snakeoil.key "$root"/etc/ssl/certs/ssl-cert-snakeoil.pem
