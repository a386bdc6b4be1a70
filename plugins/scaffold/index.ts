/**
 * Projects for backends of third parties, complete from the first moment (docs/backend-development.md).
 * @packageDocumentation
 */
export { PROJECT_LANGUAGES, createBackendProject, type BackendProject, type BackendProjectOptions } from './create-backend-project.ts'
