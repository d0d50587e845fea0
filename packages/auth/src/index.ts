export { AuthError, type AuthErrorCode } from './auth-error.ts';
export {
  type CredentialsSource,
  type CredentialsSourceOptions,
  createCredentialsSource,
} from './credentials-source.ts';
