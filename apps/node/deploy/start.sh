#!/bin/sh
# Starts a node of a small network, see compose.yaml: the first one makes the network and leaves an invite, the others join it.
#
#   ADDRESS   where others reach this node, host:port
#   INVITES   folder that all of them see
#   FIRST     yes on the first one
set -eu
umask 077
invite="$INVITES/invite"
if [ ! -f "$MATRYOSHKA_DATA/config.toml" ]; then
  if [ "${FIRST:-no}" = yes ]; then
    matryoshka init --yes --relay --listen "$ADDRESS"
    matryoshka invite --at "$ADDRESS" >"$invite.new"
    # Whoever sees it sees all of it.
    mv "$invite.new" "$invite"
  else
    until [ -s "$invite" ]; do sleep 0.2; done
    matryoshka join "$(cat "$invite")" --relay --listen "$ADDRESS"
  fi
fi
exec matryoshka up
