/** Ready routing policies, and what others are composed of: `relay: { policy: routing.all(...) }`. */
export {
  all,
  allowPeers,
  denyPeers,
  distinctOperators,
  exclude,
  lowestLatency,
  operatorTag,
  prefer,
  randomNextHop,
  tagged,
  weightedByBandwidth,
} from '@matryoshka/relay';
