import { testExampleBackend } from './example-backend.ts'

testExampleBackend({ language: 'python', toolchain: ['python3', '--version'], prepare: (source) => source })
