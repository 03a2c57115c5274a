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
    if mkdir "$state/$part" 2>/dev/null; then
      head -c 20000 >"$state/$part/beginning"
      if [ "$(wc -c <"$state/$part/beginning")" -lt 20000 ]; then
        # Its input broke off.
        rm -r "${state:?}/$part"
        exit 1
      fi
      {
        cat "$state/$part/beginning"
        echo "$PPID" >"$state/$part/writing"
        mv "$state/$part/writing" "$state/$part/sender"
        while kill -0 "$PPID" 2>/dev/null; do sleep 0.2; done
      } | node "$cli" "$@"
      exit
    fi
    ;;
esac
exec node "$cli" "$@"
