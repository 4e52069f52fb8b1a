#!/bin/sh
# The counter's servers by hand, with the docker-like verbs: a network, redis, nginx on a port, exec, commit, and everything removed again. As root; needs the
# images that examples/counter/images.sh makes.
set -eu

mycompose=${MYCOMPOSE:-mycompose}
work=$(mktemp -d)
chmod 755 "$work" # nginx reads it as www-data

say() {
	printf '\n# %s\n' "$*"
}
# Show a command as a user would type it, then run it.
run() {
	printf '$ mycompose %s\n' "$*"
	"$mycompose" "$@"
}
clean() {
	for name in nginx again redis; do
		"$mycompose" container rm -f -v "$name" >/dev/null 2>&1 || true
	done
	"$mycompose" image rm by-hand-page >/dev/null 2>&1 || true
	"$mycompose" network remove by-hand >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap clean EXIT

say "A network of our own: bridge, subnet, gateway"
run network create --driver bridge --subnet 172.31.7.0/24 --gateway 172.31.7.1 by-hand
run network list

say "redis in the background, with limits"
run run -d --name redis --net by-hand -m 100m --cpus 0.5 --cpuset-cpus 1 --cpu-shares 512 --pids-limit 20 counter-redis
until "$mycompose" exec redis redis-cli ping >/dev/null 2>&1; do
	sleep 0.1
done
run exec redis redis-cli set greeting hello
run exec redis redis-cli get greeting

say "nginx on port 8888, with a page of ours"
echo "a page from the host" >"$work/index.html"
run run -d --name nginx --net by-hand -p 8888:80 -v "$work:/var/www/html:ro" counter-nginx nginx -c /etc/nginx/nginx.conf -g 'daemon off;'
run exec nginx sh -c 'printf "server { listen 80; root /var/www/html; }" > /etc/nginx/conf.d/page.conf && nginx -s reload'
tries=0
until curl -fsS --max-time 2 http://127.0.0.1:8888/ 2>/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -lt 50 ] || exit 1
	sleep 0.1
done

say "What runs, and what it said"
run container ls
run container logs nginx
run exec nginx getent hosts redis

say "Keep nginx as it is now as an image, and run that"
run commit -m "with a page" nginx by-hand-page
run stop nginx
run run -d --name again --net by-hand -p 8888:80 -v "$work:/var/www/html:ro" by-hand-page
tries=0
until curl -fsS --max-time 2 http://127.0.0.1:8888/ 2>/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -lt 50 ] || exit 1
	sleep 0.1
done
run image ls

say "Everything away"
run stop -t 2 again redis
run rm -v nginx again redis
run network remove by-hand
run rmi by-hand-page
