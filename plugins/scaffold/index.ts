/**
 * Projects for backends of third parties, complete from the first moment (docs/backend-development.md).
 * @packageDocumentation
 */
export { createBackendProject } from './create-backend-project.ts'
