#!/bin/sh
# Runs byteify, and disturbs the first attempt at each of the parts 1 to 3: it passes on the beginning of the text, says who sends it, and then
# waits for as long as the sender lives.
# usage: disturbed-byteify.sh STATE CLI ARGUMENT...
state=$1 cli=$2
shift 2
case "$*" in
  *--merge* | *.attempts-*/plan*) ;;
  *"--shard "[123]/*)
    part=${*#*--shard }
    part=${part%%/*}
    if mkdir "$state/$part" 2>/dev/null; then
      {
        head -c 20000
        echo "$PPID" >"$state/$part/writing"
        mv "$state/$part/writing" "$state/$part/sender"
        while kill -0 "$PPID" 2>/dev/null; do sleep 0.2; done
      } | node "$cli" "$@"
      exit
    fi
    ;;
esac
exec node "$cli" "$@"
