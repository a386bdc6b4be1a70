import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { testExampleBackend } from './example-backend.ts'

testExampleBackend({
  language: 'go',
  toolchain: ['go', 'version'],
  prepare(source, home) {
    // It needs nothing but the standard library, so nothing is downloaded.
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local', CGO_ENABLED: '0' }
    execFileSync('go', ['build', '-o', join(home, 'go-loop'), '.'], { cwd: source, env, stdio: ['ignore', 'ignore', 'inherit'] })
    return home
  },
})
