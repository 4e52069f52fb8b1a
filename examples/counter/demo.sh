#!/bin/sh
# The counter from nothing to a counting page: images, `up -d`, three requests. As root.
#
#   demo.sh [DIRECTORY]     where the images' tars are kept; mycompose must be in PATH or $MYCOMPOSE
set -eu

directory=${1:-build/images}
here=$(dirname "$0")
mycompose=${MYCOMPOSE:-mycompose}
url=http://localhost:8080/

[ "$(id -u)" -eq 0 ] || {
	echo "demo.sh: containers need root: try sudo make demo" >&2
	exit 1
}
step() {
	printf '\n--- %s\n' "$1"
}

step "Images (made from Debian's packages the first time)"
"$here/images.sh" "$directory"

step "mycompose -f $here/stack.yml up -d"
"$mycompose" -f "$here/stack.yml" up -d

step "Three requests to $url (nginx -> flask -> redis)"
tries=0
until curl -fsS -o /dev/null --max-time 2 "${url}ready" 2>/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || {
		echo "demo.sh: no answer from $url; what the containers said:" >&2
		"$mycompose" -f "$here/stack.yml" logs >&2
		exit 1
	}
	sleep 0.1
done
for _ in 1 2 3; do
	curl -fsS --max-time 5 "$url"
done

step "mycompose ps"
"$mycompose" -f "$here/stack.yml" ps

printf '\nOpen %s and reload. End it with:  %s -f %s/stack.yml down\n' "$url" "$mycompose" "$here"
