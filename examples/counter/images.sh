#!/bin/sh
# Make the three images of the counter from Debian's packages and import them; images that are in the store already are left alone.
#
#   images.sh [DIRECTORY]     where the root file system tars are kept (default: build/images); mycompose must be in PATH or $MYCOMPOSE.
#                             TARS_ONLY=1 stops before the import.
set -eu

directory=${1:-build/images}
mycompose=${MYCOMPOSE:-mycompose}
suite=${SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
mkdir -p "$directory"

# What no service needs stays out of the image.
trim="usr/share/doc usr/share/man usr/share/locale usr/share/info usr/share/lintian usr/share/bug var/cache/apt var/lib/apt/lists var/log"

# make_tar NAME PACKAGES: a tar of a minimal Debian with these packages, whole or not at all.
make_tar() {
	tar=$directory/$1.tar
	[ ! -s "$tar" ] || return 0
	echo "Making the root file system of $1 ($2) …"
	hooks=
	for path in $trim; do
		hooks="$hooks rm -rf \"\$1\"/$path/*;"
	done
	mmdebstrap --quiet --format=tar --variant=essential --include="$2" \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--customize-hook="$hooks" \
		--customize-hook="mkdir -p \"\$1\"/var/log/nginx \"\$1\"/data" \
		${3:+--customize-hook="$3"} \
		"$suite" "$tar.part" >"$directory/$1.log" 2>&1 || {
		cat "$directory/$1.log" >&2
		echo "images.sh: mmdebstrap could not make $1" >&2
		exit 1
	}
	mv "$tar.part" "$tar"
}

# import NAME CHANGE...: unless the store has it
import_tar() {
	name=$1
	shift
	if "$mycompose" image inspect "$name" >/dev/null 2>&1; then
		echo "Image $name is in the store."
		return 0
	fi
	echo "Importing $name …"
	"$mycompose" import "$@" "$directory/$name.tar" "$name" >/dev/null
}

nginx_setup='rm -f "$1"/etc/nginx/sites-enabled/default;
	ln -sf /dev/stdout "$1"/var/log/nginx/access.log; ln -sf /dev/stderr "$1"/var/log/nginx/error.log'
redis_setup='chroot "$1" chown redis:redis /data'

make_tar counter-redis redis-server "$redis_setup" &
first=$!
make_tar counter-nginx nginx-light "$nginx_setup"
wait "$first"
make_tar counter-flask python3-flask,python3-redis

[ -z "${TARS_ONLY:-}" ] || exit 0

import_tar counter-nginx -c 'CMD ["nginx", "-g", "daemon off;"]' -c 'EXPOSE 80' -c 'STOPSIGNAL SIGQUIT'
import_tar counter-redis -c 'CMD ["redis-server", "--dir", "/data"]' -c 'EXPOSE 6379' -c 'USER redis' -c 'VOLUME /data'
import_tar counter-flask -c 'CMD ["python3"]' -c 'EXPOSE 5000'
