/** What is said to people about what this network reveals, in one place. */

/** What somebody who holds the address can learn of the publisher. */
export const PUBLISH_REVEALS: readonly string[] = [
  'Your friends know your IP address; of the others, the whole mesh sees which prefix the service is in and through whom it is reached.',
  'Everybody in the mesh can connect, not friends alone. A friend who carries traffic sees it, unless the service encrypts it.',
]

/** What dialling reveals of the visitor. */
export const DIAL_REVEALS: readonly string[] = [
  'The publisher sees your address in the mesh, and your friends, who know your IP address, see that you connect.',
]
