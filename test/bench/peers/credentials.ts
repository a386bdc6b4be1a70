import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity } from '../../../core/identity/identity.ts'
import { selfSignedCertificate } from '../../../core/identity/certificate.ts'

/** Writes a throw-away certificate (Ed25519, as Beam's) to cert.pem and its key to key.pem in `folder`. */
export function credentials(folder: string): void {
  const { cert, key } = selfSignedCertificate(generateIdentity())
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
}
