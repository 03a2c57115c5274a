#!/bin/sh
# Runs byteify, and disturbs the first attempt at the parts 1 and 2 that gets text: it passes on the beginning, says who sends it, and then
# waits for as long as the sender lives.
# usage: disturbed-byteify.sh STATE CLI ARGUMENT...
state=$1 cli=$2
shift 2
case "$*" in
  *--merge* | *.attempts-*/plan*) ;;
  *"--shard "[12]/*)
    part=${*#*--shard }
    part=${part%%/*}
    beginning=$(mktemp "$state/beginning-XXXXXX")
    head -c 20000 >"$beginning"
    if [ "$(wc -c <"$beginning")" -eq 20000 ] && mkdir "$state/$part" 2>/dev/null; then
      {
        cat "$beginning"
        echo "$PPID" >"$state/$part/writing"
        mv "$state/$part/writing" "$state/$part/sender"
        while kill -0 "$PPID" 2>/dev/null; do sleep 0.2; done
      } | node "$cli" "$@"
    else
      cat "$beginning" - | node "$cli" "$@"
    fi
    exit
    ;;
esac
exec node "$cli" "$@"
