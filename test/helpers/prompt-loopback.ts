const LOOPBACK_ROUTE = 'dev lo proto kernel scope host src 127.0.0.1'

/**
 * Commands that leave loopback as it is, but without delayed acknowledgements: each hop over loopback otherwise stalls for 40 ms when they
 * meet Nagle's algorithm. The routes belong to the namespace in which they are run; elsewhere they would change every program's loopback.
 */
export const PROMPT_LOOPBACK = ['127.0.0.0/8', '127.0.0.1'].map(
  (range) => `ip route replace table local local ${range} ${LOOPBACK_ROUTE} quickack 1`,
)
